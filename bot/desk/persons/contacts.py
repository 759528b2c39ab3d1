"""Changing a contact of a person on file: one person asks, another one agrees, and the contact before is told."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput
from bot.base.vault import BlindIndex, Vault
from bot.desk.persons import told
from bot.desk.staff import approvals
from bot.desk.staff.models import Approval, StaffAccount
from bot.desk.staff.roles import Permission, permitted
from bot.patients import changing, disclosure
from bot.patients.models import ContactPoint, Person

LEAST_REASON, MOST_REASON = 8, 300


def subject_of(person_id: int) -> str:
    """How the log and requests name a person."""
    return f"person:{person_id}"


def reasoned(reason: str) -> str:
    """A reason without outer blanks; raises BadInput for none."""
    if not LEAST_REASON <= len(reason.strip()) <= MOST_REASON:
        raise BadInput(f"Say why, in {LEAST_REASON} to {MOST_REASON} characters.")
    return reason.strip()


def ask_change(
    session: Session, vault: Vault, person_id: int, value: str, *, replaces: int | None, reason: str, by: int, at: datetime
) -> Approval:
    """Ask for a contact to be added or replaced; raises BadInput for what could not be done when it is agreed."""
    if session.get(Person, person_id) is None:
        raise BadInput("There is no such person.")
    changing.readable(value)
    point = session.get(ContactPoint, replaces) if replaces is not None else None
    if replaces is not None and (point is None or point.person_id != person_id or point.retired_at is not None):
        raise BadInput("That contact point is not in use for this person.")
    details = {"person": person_id, "value": value.strip(), "replaces": replaces, "reason": reasoned(reason)}
    return approvals.ask(
        session, vault, approvals.What.CONTACT_CHANGE, subject=subject_of(person_id), details=details, by=by, at=at
    )


def carry_out_change(session: Session, vault: Vault, index: BlindIndex, request: Approval, at: datetime) -> changing.Changed:
    """Do what two people agreed on, in the transaction of the agreement, and lay down the notes to the contacts before."""
    details = approvals.details_of(request, vault)
    deciders = changing.Deciders(f"staff:{request.asked_by}", f"staff:{request.decided_by}")
    person = session.get_one(Person, details["person"])
    replaces = details["replaces"]
    done = changing.change_contact(session, vault, index, person.id, details["value"], deciders, at, replaces=replaces)
    told.lay_down(session, vault, person, done.to_tell, replaces, at)
    return done


def lift_hold(session: Session, vault: Vault, person_id: int, *, reason: str, by: int, at: datetime) -> int:
    """Let the assistant answer about a person again, as a lead or privacy officer; returns how many holds that were."""
    allowed = permitted(session.get_one(StaffAccount, by).roles)
    if not allowed & {Permission.RUN_DESK, Permission.CHANGE_CONTACTS}:
        raise BadInput("Your role does not allow lifting a hold.")
    lifted = disclosure.lift(session, person_id, f"staff:{by}", at)
    if not lifted:
        raise BadInput("There is no hold on this person.")
    content = {"person": person_id, "holds": lifted, "reason": reasoned(reason)}
    subject = subject_of(person_id)
    audit.record(session, at=at, actor=f"staff:{by}", kind="hold.lifted", subject=subject, content=content, vault=vault)
    return lifted
