"""The persons on file whom a case concerns, with the notices they got: what a responder has to know before answering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.vault import Vault
from bot.desk.records import CasePerson
from bot.desk.work.persons import persons_of
from bot.patients import finding
from bot.patients.disclosure import has_stopped, is_held
from bot.patients.models import Person
from bot.patients.notices.models import NoticeOnFile


@dataclass(frozen=True, repr=False)
class OnFile:
    """A person on file as the page of a case shows them."""

    link: CasePerson
    person: Person
    particulars: finding.Particulars
    notices: Sequence[NoticeOnFile]
    ways: Sequence[str]  # the kinds of contact by which they may be reached, best first
    has_stopped: bool  # wants no notices
    is_held: bool  # the team alone tells about them


def persons_on(session: Session, vault: Vault, case_id: int) -> list[OnFile]:
    """Everybody on file whom a case concerns, those proven first, each with the notices they got in order."""
    found = []
    for link in persons_of(session, case_id):
        person = session.get_one(Person, link.person_id)
        sent = select(NoticeOnFile).where(NoticeOnFile.person_id == person.id).order_by(NoticeOnFile.sent_on, NoticeOnFile.id)
        found.append(
            OnFile(
                link,
                person,
                finding.particulars(person, vault),
                session.scalars(sent).all(),
                tuple(dict.fromkeys(point.kind for point in finding.usable_contacts(session, person.id))),
                has_stopped(session, person.id),
                is_held(session, person.id),
            )
        )
    return found
