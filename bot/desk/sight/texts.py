"""Publications as the console shows and decides them: who proposed what, what changes, and which is said now.

Whoever proposes or decides stands in a publication as the log names them, `staff:7`; on the command line people write their
names. Two people are two accounts: the same one never does both.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput, NotPublished
from bot.base.vault import Vault
from bot.conversations.speaking import differences, proposal
from bot.conversations.speaking import publication as publications
from bot.conversations.speaking.publication import Library, Publication, PublicationStatus
from bot.desk.staff.models import StaffAccount
from bot.desk.staff.roles import Permission, permitted

MOST_CHANGES = 400
"""Places shown at once; what is beyond is counted."""


@dataclass(frozen=True)
class Row:
    """A proposal or publication in the list."""

    id: int
    status: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str | None
    effective_at: datetime | None
    digest: str
    is_said: bool
    is_mine: bool


@dataclass(frozen=True)
class Compared:
    """A publication and what it changes in what is said now."""

    row: Row
    changes: Sequence[differences.Change]
    more: int


def rows(session: Session, library: Library, staff_id: int, at: datetime) -> list[Row]:
    """Proposals and publications, newest first."""
    said = _said(session, library, at)
    return [_row(one, said, staff_id) for one in publications.history(session)]


def compared(session: Session, library: Library, publication_id: int, staff_id: int, at: datetime) -> Compared:
    """One of them, sentence by sentence against what is said now; raises NoResultFound for none."""
    row = session.get_one(Publication, publication_id)
    said = _said(session, library, at)
    before = library.get(session, said).content if said else None
    found = differences.changes(before, library.get(session, publication_id).content)
    return Compared(_row(row, said, staff_id), found[:MOST_CHANGES], max(0, len(found) - MOST_CHANGES))


def waiting(session: Session) -> int:
    """How many proposals nobody has decided."""
    return sum(one.status == PublicationStatus.PROPOSED.value for one in publications.history(session))


def read_files(folder: Path) -> Mapping[str, Any]:
    """What the files of this installation say, read before any transaction; raises BadInput for what cannot be said."""
    content: Mapping[str, Any] = json.loads(proposal.canonical(proposal.read(folder)))
    return content


def propose_files(session: Session, vault: Vault, content: Mapping[str, Any], *, by: int, at: datetime) -> Publication:
    """Propose what the files say; raises BadInput when they are proposed already."""
    _allowed(session, by, Permission.PROPOSE_TEXTS)
    digest = proposal.digest(proposal.canonical(content))
    if any(one.digest == digest and one.status == PublicationStatus.PROPOSED.value for one in publications.history(session)):
        raise BadInput("The files are proposed already.")
    made = publications.propose(session, content, by=_name(by), at=at)
    _log(session, vault, "proposed", made, by, at)
    return made


def propose_again(session: Session, vault: Vault, publication_id: int, *, by: int, at: datetime) -> Publication:
    """Propose an earlier publication anew, the first half of going back."""
    _allowed(session, by, Permission.PROPOSE_TEXTS)
    made = publications.propose_again(session, publication_id, by=_name(by), at=at)
    _log(session, vault, "proposed", made, by, at)
    return made


def approve(
    session: Session, vault: Vault, publication_id: int, *, by: int, at: datetime, effective_at: datetime | None
) -> Publication:
    """Put a proposal of somebody else into force, at once or later."""
    _allowed(session, by, Permission.APPROVE_TEXTS)
    row = session.get_one(Publication, publication_id)
    if row.proposed_by == _name(by):
        raise BadInput("You proposed this: another person has to approve it.")
    made = publications.approve(session, publication_id, by=_name(by), at=at, effective_at=effective_at)
    _log(session, vault, "approved", made, by, at)
    return made


def reject(session: Session, vault: Vault, publication_id: int, *, by: int, at: datetime) -> Publication:
    """Decide that a proposal is never said; whoever proposed it may take it back this way."""
    row = session.get_one(Publication, publication_id)
    if row.proposed_by != _name(by):
        _allowed(session, by, Permission.APPROVE_TEXTS)
    made = publications.reject(session, publication_id, by=_name(by), at=at)
    _log(session, vault, "rejected", made, by, at)
    return made


def _name(staff_id: int) -> str:
    return f"staff:{staff_id}"


def _allowed(session: Session, staff_id: int, permission: Permission) -> None:
    if permission not in permitted(session.get_one(StaffAccount, staff_id).roles):
        raise BadInput("Your role does not allow this.")


def _said(session: Session, library: Library, at: datetime) -> int | None:
    try:
        return library.current(session, at).id
    except NotPublished:
        return None


def _row(one: Publication, said: int | None, staff_id: int) -> Row:
    return Row(
        one.id,
        one.status,
        one.proposed_by,
        one.proposed_at,
        one.approved_by,
        one.effective_at,
        one.digest,
        one.id == said,
        one.proposed_by == _name(staff_id),
    )


def _log(session: Session, vault: Vault, kind: str, row: Publication, by: int, at: datetime) -> None:
    content = {"publication": row.id, "digest": row.digest, "effective_at": row.effective_at and row.effective_at.isoformat()}
    subject, what = f"publication:{row.id}", f"publication.{kind}"
    audit.record(session, at=at, actor=_name(by), kind=what, subject=subject, content=content, vault=vault)
