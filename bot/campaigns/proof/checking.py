"""Checks a folder of evidence: its digests, the entries of the log in it, and, with our log at hand, that it is one of ours."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import select

from bot.base.audit import AuditEntry, commitment_of, content_of, mac_of
from bot.base.database import Database
from bot.base.errors import BadInput
from bot.base.vault import KeyRing, Vault

SUMS = "SHA256SUMS"
SHOWN = 20
FIELDS = (
    *("sequence", "id", "at", "actor", "kind", "subject", "salted", "commitment", "previous", "sealed_at", "key_id", "mac"),
)
"""What a line of the log has."""


@dataclass
class Findings:
    """What a check of a folder found."""

    files: int = 0
    entries: int = 0
    sealed: int = 0  # entries whose seal was checked with a key
    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.wrong


def check(folder: Path, *, keys: str = "", database: Database | None = None, vault: Vault | None = None) -> Findings:
    """Check a folder; without keys the seals, without our log its origin stay unchecked, and that is said. Raises BadInput."""
    found = Findings()
    listed = _listed(folder)
    _digests(folder, listed, found)
    _texts(listed, found)
    ring = KeyRing("audit_keys", keys) if keys else None
    _entries(folder, ring, found)
    if ring is None:
        found.notes.append("Without the audit keys the seals of the entries were not checked.")
    if database is None or vault is None:
        found.notes.append("Without our log it was not checked that this folder is one that was exported.")
    else:
        _origin(folder, database, vault, found)
    return found


def _listed(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise BadInput(f"{folder.name} is no folder of evidence: it has no {SUMS}.") from None
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _digests(folder: Path, listed: dict[str, str], found: Findings) -> None:
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} - {SUMS}
    found.wrong += [f"{name} is not in the list of digests: it was added" for name in sorted(there - set(listed))[:SHOWN]]
    found.wrong += [f"{name} is missing" for name in sorted(set(listed) - there)[:SHOWN]]
    for name in sorted(there & set(listed)):
        found.files += 1
        if _digest(folder / name) != listed[name]:
            found.wrong.append(f"{name} was changed after it was made")


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def _texts(listed: dict[str, str], found: Findings) -> None:
    for name, digest in listed.items():
        stem = name.removeprefix("texts/").removesuffix(".json")
        if name.startswith("texts/") and len(stem) == 64 and name.endswith(".json") and stem != digest:
            found.wrong.append(f"{name} does not have the digest that is its name: it is not the text that was sent")


def _entries(folder: Path, ring: KeyRing | None, found: Findings) -> None:
    last = 0
    for number, entry in _lines(folder / "log.jsonl", found):
        found.entries += 1
        where = f"entry {entry.sequence} (line {number} of log.jsonl)"
        if entry.sequence <= last:
            found.wrong.append(f"{where} is out of order")
        last = entry.sequence
        if entry.salted is not None and commitment_of(str(entry.salted)) != entry.commitment:
            found.wrong.append(f"{where}: what it says was changed")
        if ring is not None:
            _seal(ring, entry, where, found)
        if len(found.wrong) > SHOWN:
            found.wrong.append("… and perhaps more: the check stopped here")
            return


def _lines(path: Path, found: Findings) -> Iterator[tuple[int, Any]]:
    try:
        file = path.open(encoding="utf-8", errors="surrogatepass")
    except OSError:
        return  # said already: it is missing
    with file:
        for number, line in enumerate(file, start=1):
            try:
                said = json.loads(line)
                entry = SimpleNamespace(**{name: said[name] for name in FIELDS})
                entry.at, entry.sealed_at = datetime.fromisoformat(entry.at), datetime.fromisoformat(entry.sealed_at)
                entry.sequence = int(entry.sequence)
            except (ValueError, TypeError, KeyError):
                found.wrong.append(f"line {number} of log.jsonl cannot be read")
                continue
            yield number, entry


def _seal(ring: KeyRing, entry: Any, where: str, found: Findings) -> None:
    key = ring.get(str(entry.key_id))
    if key is None:
        found.wrong.append(f"{where} was sealed under a key that is not in the ring")
    elif not hmac.compare_digest(mac_of(key, entry.previous, entry.sequence, entry, entry.sealed_at), str(entry.mac)):
        found.wrong.append(f"{where} does not match its seal: it was changed, or this is not the key")
    else:
        found.sealed += 1


def _origin(folder: Path, database: Database, vault: Vault, found: Findings) -> None:
    """Whether our log knows that this folder was made, and still has the head it was made at."""
    digest = _digest(folder / SUMS)
    with database.reading() as session:
        exports = session.scalars(select(AuditEntry).where(AuditEntry.kind == "campaign.evidence_exported")).all()
        known = [entry for entry in exports if (content_of(entry, vault) or {}).get("sums") == digest]
        try:
            head = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["head"]
            mac = session.scalar(select(AuditEntry.mac).where(AuditEntry.sequence == int(head["sequence"])))
        except (OSError, ValueError, KeyError, TypeError):
            found.wrong.append("manifest.json cannot be read")
            return
    if not known:
        found.wrong.append("our log knows nothing of this folder: it was not exported as it is")
    if mac != head["mac"]:
        found.wrong.append(f"our log has another entry {head['sequence']}, or none: its end was cut off or it was replaced")
