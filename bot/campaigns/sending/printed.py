"""What is printed on a notice for one person alone: the reference, the same on every rung."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update
from sqlalchemy.orm import Session

from bot.campaigns.models import REFERENCE, Obligation
from bot.campaigns.office import Office
from bot.patients import references

_PRINTED = (
    update(Obligation).where(Obligation.id == bindparam("owed")).values(sealed_reference=bindparam("sealed"))
)  # many rows in one go, past the session: nothing of them is in it


def references_of(session: Session, office: Office, rows: Sequence[Any], at: datetime) -> dict[int, str]:
    """The reference printed on the notices of each obligation; made with its first notice and the same on all of them."""
    printed = {row.obligation_id: office.vault.open(row.sealed_reference, REFERENCE) for row in rows if row.sealed_reference}
    lacking = {row.obligation_id: row.person_id for row in rows if row.obligation_id not in printed}
    issued = references.issue(session, office.index, lacking.values(), at=at)
    made = {obligation: reference for obligation, (_, reference) in zip(lacking, issued, strict=True)}
    if made:
        sealed = [{"owed": number, "sealed": office.vault.seal(one, REFERENCE)} for number, one in made.items()]
        session.connection().execute(_PRINTED, sealed)
    return {**printed, **made}
