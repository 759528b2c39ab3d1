"""The sealed log: who was told what, when, in which version, in a form a regulator can check.

A row is appended in the transaction it describes. Once a second one sealer chains the rows that
are not sealed yet: it numbers them and computes, under a key outside the database, an HMAC over
the previous one, the number and the row. Content is kept sealed, behind a salted commitment; the
salt lies within the sealed content, so that erasing it leaves nothing to guess at and the chain
still holds. What was changed, removed, added or swapped shows; a cut-off end shows by the heads
exported daily (`bot.base.evidence` checks it all). What this cannot show: a row forged within the
second before it is sealed, or an end rewritten since the last export by who also has the key.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import os
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Index, String, Text, Update, bindparam, insert, select, text, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.base.clock import in_hong_kong
from bot.base.database import Base, Database, Key
from bot.base.vault import KeyRing, Vault

log = logging.getLogger(__name__)

CONTEXT = "audit.sealed_content"
ERASURE = "audit.erased"
BATCH = 1000
"""Rows sealed in one transaction: keeps the write lock short when a backlog is worked off."""

_SALT_CHARACTERS = 32


class AuditEntry(Base):
    """One thing that happened; written once, sealed once, erased at most once."""

    __tablename__ = "audit"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(60))  # "bot", "patient", "staff:<id>", "operator"; never a name
    kind: Mapped[str] = mapped_column(String(60))
    subject: Mapped[str] = mapped_column(String(60))  # what it is about, such as "thread:12"
    sealed_content: Mapped[str | None] = mapped_column(Text)  # salt and canonical JSON; None once erased
    commitment: Mapped[str] = mapped_column(String(64))  # SHA-256 over the two
    sequence: Mapped[int | None] = mapped_column(Key, unique=True)
    sealed_at: Mapped[datetime | None]
    key_id: Mapped[str | None] = mapped_column(String(12))
    mac: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (
        Index("ix_audit_subject", "subject"),
        Index("ix_audit_unsealed", "id", sqlite_where=text("sequence IS NULL"), postgresql_where=text("sequence IS NULL")),
        {"sqlite_autoincrement": True},  # no id comes twice
    )


def record(
    session: Session, *, at: datetime, actor: str, kind: str, subject: str, content: Mapping[str, Any], vault: Vault
) -> None:
    """Append an entry within the caller's transaction; the content must be JSON, the other fields hold ids only."""
    session.add(AuditEntry(at=at, actor=actor, kind=kind, subject=subject, **_sealed(content, vault)))


def record_all(
    session: Session, *, at: datetime, actor: str, entries: Iterable[tuple[str, str, Mapping[str, Any]]], vault: Vault
) -> None:
    """Append many entries of (kind, subject, content) in one statement, each as `record` would."""
    rows = [{"at": at, "actor": actor, "kind": kind, "subject": about, **_sealed(said, vault)} for kind, about, said in entries]
    if rows:
        session.execute(insert(AuditEntry), rows)


def _sealed(content: Mapping[str, Any], vault: Vault) -> dict[str, str]:
    salted = secrets.token_hex(_SALT_CHARACTERS // 2) + _canonical(content)
    return {"sealed_content": vault.seal(salted, CONTEXT), "commitment": commitment_of(salted)}


def content_of(entry: AuditEntry, vault: Vault) -> dict[str, Any] | None:
    """What the entry said, or None once it is erased; raises Tampered when it does not open."""
    if entry.sealed_content is None:
        return None
    content: dict[str, Any] = json.loads(vault.open(entry.sealed_content, CONTEXT)[_SALT_CHARACTERS:])
    return content


def erase(session: Session, subject: str, *, at: datetime, actor: str, vault: Vault) -> int:
    """Remove the content of all entries on a subject and record that; returns how many. Their proof stays."""
    entries = session.scalars(
        update(AuditEntry)
        .where(AuditEntry.subject == subject, AuditEntry.sealed_content.is_not(None), AuditEntry.kind != ERASURE)
        .values(sealed_content=None)
        .returning(AuditEntry.id)
    ).all()
    record(session, at=at, actor=actor, kind=ERASURE, subject=subject, content={"entries": sorted(entries)}, vault=vault)
    return len(entries)


def seal(database: Database, keys: str, at: datetime) -> int:
    """Chain what is not sealed yet, oldest id first, and return how many rows that were.

    PostgreSQL commits ids out of order: a late row gets the next number, and no number ever changes.
    A second sealer at the same moment does no harm: it finds its rows taken and leaves.
    """
    ring = KeyRing("audit_keys", keys)
    sealed = 0
    while batch := _seal_batch(database, ring, at):
        sealed += batch
        if batch < BATCH:
            break
    return sealed


CHAINED = (AuditEntry.id, AuditEntry.at, AuditEntry.actor, AuditEntry.kind, AuditEntry.subject, AuditEntry.commitment)
"""What the chain covers; the sealed content itself may be sealed anew or erased."""


def _seal_batch(database: Database, ring: KeyRing, at: datetime) -> int:
    unsealed = select(*CHAINED).where(AuditEntry.sequence.is_(None)).order_by(AuditEntry.id).limit(BATCH)
    with database.reading() as session:  # an idle tick must not take the write lock
        if session.execute(unsealed.limit(1)).first() is None:
            return 0
    try:
        with database.writing() as session:
            marks = _chain(session.execute(unsealed).all(), *head(session), ring, at)
            if marks and session.connection().execute(_mark(), marks).rowcount != len(marks):
                raise _Overtaken
            return len(marks)
    except (_Overtaken, IntegrityError):
        log.info("audit: another sealer was faster")
        return 0


class _Overtaken(Exception):
    """Another sealer took some of the rows: undo ours."""


def _mark() -> Update:
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("sequence", "sealed_at", "key_id", "mac")}
    return update(AuditEntry).where(AuditEntry.id == bindparam("row"), AuditEntry.sequence.is_(None)).values(new)


def _chain(rows: Sequence[Any], last: int, mac: str, ring: KeyRing, at: datetime) -> list[dict[str, Any]]:
    key_id, key = ring.items()[0]
    marks: list[dict[str, Any]] = []
    for sequence, row in enumerate(rows, start=last + 1):
        mac = mac_of(key, mac, sequence, row, at)
        marks.append({"row": row.id, "new_sequence": sequence, "new_sealed_at": at, "new_key_id": key_id, "new_mac": mac})
    return marks


def head(session: Session) -> tuple[int, str]:
    """Number and HMAC of the last sealed row; (0, "") before the first."""
    row = session.execute(
        select(AuditEntry.sequence, AuditEntry.mac)
        .where(AuditEntry.sequence.is_not(None))
        .order_by(AuditEntry.sequence.desc())
        .limit(1)
    ).first()
    return (row.sequence, row.mac) if row else (0, "")


def commitment_of(salted: str) -> str:
    """SHA-256 over salt and canonical content."""
    return hashlib.sha256(salted.encode("utf-8", "surrogatepass")).hexdigest()


def mac_of(key: bytes, previous: str, sequence: int, row: Any, sealed_at: datetime) -> str:
    """The HMAC of one row of the chain: over the one before, the number and every field that must not change."""
    fields = [previous, sequence, row.id, _moment(row.at), row.actor, row.kind, row.subject, row.commitment, _moment(sealed_at)]
    return hmac.digest(key, b"candour.audit.1\0" + _FIELDS.encode(fields).encode(), "sha256").hex()


_FIELDS = json.JSONEncoder()


def _moment(moment: datetime) -> str:
    in_utc = moment if moment.tzinfo is UTC else moment.astimezone(UTC)
    return in_utc.isoformat(timespec="microseconds")


def _canonical(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def export_head(database: Database, folder: Path, at: datetime) -> Path | None:
    """Write the head of the chain once per Hong Kong day; None when that was done or nothing is sealed.

    The file is to be kept where who can write to the database cannot: it shows a cut-off end.
    """
    path = folder / f"head-{in_hong_kong(at):%Y-%m-%d}.json"
    if path.exists():
        return None
    with database.reading() as session:
        sequence, mac = head(session)
    if not sequence:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{path.name}.{secrets.token_hex(4)}"
    with draft.open("x", encoding="ascii") as file:
        file.write(json.dumps({"sequence": sequence, "mac": mac, "at": _moment(at)}, indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # unlike a rename it never replaces a head that is there
    except FileExistsError:
        return None
    finally:
        draft.unlink()
    return path
