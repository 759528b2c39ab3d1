"""Checks the sealed log, row by row, for whoever has to believe it: an auditor, a regulator.

It needs the audit keys; with the exported heads it also sees a cut-off end, with the vault also a
changed content. It changes nothing.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.base.audit import BATCH, CHAINED, CONTEXT, ERASURE, AuditEntry, commitment_of, mac_of
from bot.base.database import Database
from bot.base.errors import Tampered
from bot.base.vault import KeyRing, Vault


@dataclass
class Verdict:
    """What a check of the whole log found."""

    ok: bool = True
    entries: int = 0  # sealed and in order
    unsealed: int = 0  # waiting for the sealer
    erased: int = 0
    head: str = ""  # the HMAC of the last entry
    first_broken: int | None = None  # a sequence number
    problem: str = ""
    _erased: dict[str, int] = field(default_factory=dict, repr=False)  # subject → last erased id
    _erasures: dict[str, int] = field(default_factory=dict, repr=False)  # subject → last recorded erasure

    def broken(self, sequence: int, problem: str) -> Verdict:
        """The same, with what is wrong first."""
        self.ok, self.first_broken, self.problem = False, sequence, problem
        return self


def verify(database: Database, keys: str, heads: Path | None = None, vault: Vault | None = None) -> Verdict:
    """Check the chain from its first entry, against the exported heads and, given a vault, the contents too."""
    ring = KeyRing("audit_keys", keys)
    verdict = Verdict()
    expected = _read_heads(heads) if heads else {}
    for row in _sealed_rows(database):
        sequence, key = verdict.entries + 1, ring.get(row.key_id or "")
        if row.sequence != sequence:
            return verdict.broken(sequence, f"the numbering breaks at {sequence}: entries are missing or were added")
        if key is None:
            return verdict.broken(sequence, f"entry {sequence} was sealed under a key that is not in the ring")
        if not hmac.compare_digest(mac_of(key, verdict.head, sequence, row, row.sealed_at), row.mac or ""):
            return verdict.broken(sequence, f"entry {sequence} does not match its seal: it, or the one before, was changed")
        if any(mac != row.mac for mac in expected.pop(sequence, ())):
            return verdict.broken(sequence, f"entry {sequence} is not the one that was the head when it was exported")
        if vault and row.sealed_content is not None and not _content_holds(row, vault):
            return verdict.broken(sequence, f"the content of entry {sequence} was changed")
        verdict.entries, verdict.head = sequence, row.mac
        _note_erasure(verdict, row)
    if expected:
        return verdict.broken(verdict.entries + 1, f"the end was cut off: entry {max(expected)} was exported as head and is gone")
    return _check_unsealed(database, verdict)


def _sealed_rows(database: Database) -> Iterator[Any]:
    """All sealed rows in order, in short transactions: a sealed row never changes."""
    columns = (*CHAINED, AuditEntry.sealed_content, AuditEntry.sequence, AuditEntry.sealed_at, AuditEntry.key_id, AuditEntry.mac)
    last = -(2**62)
    while True:
        page = select(*columns).where(AuditEntry.sequence > last).order_by(AuditEntry.sequence).limit(BATCH)
        with database.reading() as session:
            rows = session.execute(page).all()
        yield from rows
        if len(rows) < BATCH:
            return
        last = rows[-1].sequence or last


def _content_holds(row: Any, vault: Vault) -> bool:
    try:
        return hmac.compare_digest(commitment_of(vault.open(row.sealed_content, CONTEXT)), row.commitment)
    except Tampered:
        return False


def _note_erasure(verdict: Verdict, row: Any) -> None:
    if row.kind == ERASURE:
        verdict._erasures[row.subject] = row.id
    elif row.sealed_content is None:
        verdict.erased += 1
        verdict._erased[row.subject] = row.id


def _check_unsealed(database: Database, verdict: Verdict) -> Verdict:
    with database.reading() as session:
        rows = session.execute(select(*CHAINED, AuditEntry.sealed_content).where(AuditEntry.sequence.is_(None))).all()
    verdict.unsealed = len(rows)
    for row in rows:
        _note_erasure(verdict, row)
    for subject, erased in verdict._erased.items():
        if verdict._erasures.get(subject, 0) < erased:
            return verdict.broken(verdict.entries, f"the content of entries on {subject} is gone and no erasure is recorded")
    return verdict


def _read_heads(folder: Path) -> dict[int, set[str]]:
    heads: dict[int, set[str]] = {}
    for path in sorted(folder.glob("head-*.json")):
        try:
            content = json.loads(path.read_text(encoding="ascii"))
            heads.setdefault(int(content["sequence"]), set()).add(str(content["mac"]))
        except (OSError, ValueError, KeyError, TypeError):
            raise Tampered(f"The exported head {path.name} cannot be read.") from None
    return heads
