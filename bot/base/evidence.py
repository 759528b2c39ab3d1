"""Checks the sealed log, row by row, for whoever has to believe it: an auditor, a regulator.

It needs the audit keys; with the exported heads it also sees a cut-off end, with the vault also a changed content. After
something is broken it goes on from the seal that stands there, so that one changed entry is told from a log that was replaced.
It changes nothing.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.base.audit import CHAINED, CONTEXT, ERASURE, AuditEntry, commitment_of, mac_of
from bot.base.clock import in_hong_kong
from bot.base.database import Database
from bot.base.errors import Tampered
from bot.base.vault import KeyRing, Vault

PAGE = 5000
"""Rows read at once."""


@dataclass
class Verdict:
    """What a check of the whole log found."""

    ok: bool = True
    entries: int = 0  # sealed and in order, before anything that is broken
    unsealed: int = 0  # waiting for the sealer
    erased: int = 0
    head: str = ""  # the HMAC of the last entry
    head_at: datetime | None = None  # when that was sealed
    first_broken: int | None = None  # a sequence number
    problem: str = ""
    since: datetime | None = None  # up to when everything is in order; None when the first entry is broken
    damaged: int = 0  # entries that do not fit
    missing: int = 0  # numbers without an entry
    _erased: dict[str, int] = field(default_factory=dict, repr=False)  # subject → last erased id
    _erasures: dict[str, int] = field(default_factory=dict, repr=False)  # subject → last recorded erasure

    def broken(self, sequence: int, problem: str) -> Verdict:
        """The same, with what is wrong first."""
        if self.ok:
            self.ok, self.first_broken, self.problem, self.since = False, sequence, problem, self.head_at
        return self

    def in_words(self) -> str:
        """What was found, where, and since when, for somebody who has to act on it."""
        if self.ok:
            last = f", the last one sealed {_hour(self.head_at)}" if self.head_at else ""
            waiting = f" {self.unsealed:,} wait for their seal." if self.unsealed else ""
            erased = f" The content of {self.erased:,} was erased and is proven to have been there." if self.erased else ""
            return f"The log is in order: {self.entries:,} entries{last}.{waiting}{erased}"
        until = f"Everything up to {_hour(self.since)} is in order" if self.since else "Nothing before it vouches for the rest"
        beyond = [f"{self.damaged:,} do not fit"] if self.damaged else []
        beyond += [f"{self.missing:,} are missing"] if self.missing else []
        whole = f" Of all entries {' and '.join(beyond)}." if beyond else ""
        return f"The log is broken: {self.problem}. {until} ({self.entries:,} entries).{whole}"


def verify(database: Database, keys: str, heads: Path | None = None, vault: Vault | None = None) -> Verdict:
    """Check the chain from its first entry, against the exported heads and, given a vault, the contents too."""
    ring = KeyRing("audit_keys", keys)
    verdict, last, previous = Verdict(), 0, ""
    expected = _read_heads(heads) if heads else {}
    for row in _sealed_rows(database):
        if problem := _problem(row, last, previous, ring, expected.pop(row.sequence, ()), vault):
            verdict.broken(last + 1 if row.sequence != last + 1 else row.sequence, problem)
            verdict.missing += max(0, row.sequence - last - 1)
            verdict.damaged += row.sequence == last + 1
        if verdict.ok:
            verdict.entries, verdict.head, verdict.head_at = row.sequence, row.mac, row.sealed_at
        _note_erasure(verdict, row)
        last, previous = row.sequence, row.mac or ""
    if gone := [number for number in expected if number > last]:
        verdict.missing += max(gone) - last
        verdict.broken(last + 1, f"the end was cut off: entry {max(gone)} was exported as head and is gone")
    return _check_unsealed(database, verdict)


def _problem(row: Any, last: int, previous: str, ring: KeyRing, heads: Any, vault: Vault | None) -> str:
    """What is wrong with one entry, after the last one and its seal; nothing when it fits."""
    sequence = last + 1
    if row.sequence != sequence:
        gone = f"entry {sequence} is" if row.sequence == sequence + 1 else f"entries {sequence} to {row.sequence - 1} are"
        what = f"{gone} missing" if row.sequence > sequence else "entries were added"
        return f"the numbering breaks at {sequence}: {what}"
    key = ring.get(row.key_id or "")
    if key is None:
        return f"entry {sequence} was sealed under a key that is not in the ring"
    if not hmac.compare_digest(mac_of(key, previous, sequence, row, row.sealed_at), row.mac or ""):
        other = "it was changed, or this is not the key" if sequence == 1 else "it, or the one before, was changed"
        return f"entry {sequence} of {_hour(row.at)} does not match its seal: {other}"
    if any(mac != row.mac for mac in heads):
        return f"entry {sequence} is not the one that was the head when it was exported"
    if vault and row.sealed_content is not None and not _content_holds(row, vault):
        return f"the content of entry {sequence} of {_hour(row.at)} was changed"
    return ""


def _hour(at: datetime | None) -> str:
    return f"{in_hong_kong(at):%-d %b %Y %H:%M:%S} in Hong Kong" if at else "an unknown time"


def _sealed_rows(database: Database) -> Iterator[Any]:
    """All sealed rows in order, in short transactions: a sealed row never changes."""
    columns = (*CHAINED, AuditEntry.sealed_content, AuditEntry.sequence, AuditEntry.sealed_at, AuditEntry.key_id, AuditEntry.mac)
    last = -(2**62)
    while True:
        page = select(*columns).where(AuditEntry.sequence > last).order_by(AuditEntry.sequence).limit(PAGE)
        with database.reading() as session:
            rows = session.execute(page).all()
        yield from rows
        if len(rows) < PAGE:
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
