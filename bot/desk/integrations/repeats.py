"""Requests that come twice: who names a key gets the first answer again, and nothing is done a second time.

The row is written in the transaction of what was asked for: a crash leaves both or neither. Of two at the same moment the
second waits for the first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from bot.base.errors import CandourError
from bot.base.vault import Vault
from bot.desk.integrations.models import ANSWER, ApiRequest

KEPT = timedelta(hours=24)


class OtherRequest(CandourError):
    """The same key was named with another request."""


@dataclass(frozen=True, repr=False)
class Repeat:
    """A request that was answered before."""

    status_code: int
    answer: str


def begin(session: Session, vault: Vault, staff_id: int, key: str, asked: str, at: datetime) -> Repeat | None:
    """Take the key for this request; what was answered when it was taken before. Raises OtherRequest for another request."""
    values = {"staff_id": staff_id, "key": _digest(key), "asked": _digest(asked), "status_code": 0, "at": at}
    old = delete(ApiRequest).where(ApiRequest.staff_id == staff_id, ApiRequest.key == values["key"], ApiRequest.at <= at - KEPT)
    session.execute(old)
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    taken = session.execute(insert(ApiRequest).values(values).on_conflict_do_nothing().returning(ApiRequest.key))
    if taken.first() is not None:
        return None
    row = session.scalars(select(ApiRequest).where(ApiRequest.staff_id == staff_id, ApiRequest.key == values["key"])).one()
    if row.asked != values["asked"] or row.sealed_answer is None:
        raise OtherRequest("This key belongs to another request.")
    return Repeat(row.status_code, vault.open(row.sealed_answer, ANSWER))


def keep(session: Session, vault: Vault, staff_id: int, key: str, status_code: int, answer: str) -> None:
    """Keep the answer for the next time."""
    row = update(ApiRequest).where(ApiRequest.staff_id == staff_id, ApiRequest.key == _digest(key))
    session.execute(row.values(status_code=status_code, sealed_answer=vault.seal(answer, ANSWER)))


def sweep(session: Session, at: datetime) -> None:
    """Forget what is older than a day."""
    session.execute(delete(ApiRequest).where(ApiRequest.at <= at - KEPT))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
