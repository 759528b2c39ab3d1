"""The entries of the sealed log that are about one campaign, each with what a stranger needs to check it."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.audit import CONTEXT, AuditEntry
from bot.base.clock import in_hong_kong
from bot.base.database import Database
from bot.base.vault import Vault
from bot.campaigns.phones.models import Outcome

PAGE = 2000
ABOUT_PERSONS = ("notice.", "obligation.")
SALT = 32
"""Characters of salt before what an entry says."""
COLUMNS = (
    *(AuditEntry.id, AuditEntry.sequence, AuditEntry.at, AuditEntry.actor, AuditEntry.kind, AuditEntry.subject),
    *(AuditEntry.sealed_content, AuditEntry.commitment, AuditEntry.sealed_at, AuditEntry.key_id, AuditEntry.mac),
)


@dataclass(frozen=True)
class Proven:
    """One entry, with the seal before it: by the two the entry can be checked apart from all others."""

    row: Any
    previous: str
    salted: str | None  # salt and canonical JSON, whose SHA-256 is the commitment; None once erased
    content: dict[str, Any] = field(default_factory=dict)

    def as_line(self) -> str:
        """The entry as one line of JSON."""
        row = self.row
        said = {
            "sequence": row.sequence,
            "id": row.id,
            "at": moment(row.at),
            "actor": row.actor,
            "kind": row.kind,
            "subject": row.subject,
            "salted": self.salted,
            "commitment": row.commitment,
            "previous": self.previous,
            "sealed_at": moment(row.sealed_at),
            "key_id": row.key_id,
            "mac": row.mac,
        }
        return json.dumps(said, ensure_ascii=False) + "\n"


def moment(at: datetime) -> str:
    """A moment as the seal covers it."""
    return at.isoformat(timespec="microseconds")


def entries_of(database: Database, vault: Vault, campaign_id: int, persons: set[int], until: int) -> Iterator[Proven]:
    """The campaign's entries up to the number `until`, in order; of erased ones, those about its people. Raises Tampered."""
    last, previous = 0, ""
    while last < until:
        wanted = select(*COLUMNS).where(AuditEntry.sequence > last, AuditEntry.sequence <= until)
        with database.reading() as session:
            rows = session.execute(wanted.order_by(AuditEntry.sequence).limit(PAGE)).all()
        for row in rows:
            if (found := _about(row, previous, vault, campaign_id, persons)) is not None:
                yield found
            previous = row.mac or ""
        if not rows:
            return
        last = rows[-1].sequence or last


def _about(row: Any, previous: str, vault: Vault, campaign_id: int, persons: set[int]) -> Proven | None:
    is_own = row.subject == f"campaign:{campaign_id}"
    if not is_own and not row.kind.startswith(ABOUT_PERSONS):
        return None
    if row.sealed_content is None:
        whose = row.subject.partition(":")[2]
        return Proven(row, previous, None) if is_own or (whose.isdecimal() and int(whose) in persons) else None
    salted = vault.open(row.sealed_content, CONTEXT)
    content: dict[str, Any] = json.loads(salted[SALT:])
    return Proven(row, previous, salted, content) if is_own or content.get("campaign") == campaign_id else None


BITS = {state: 1 << place for place, state in enumerate(("delivered", "posted", "closed", "substitute", "manual"))}
"""States of a person that an entry has to attest."""


def _ends(kind: str, said: Mapping[str, Any]) -> tuple[str, ...]:
    """Which states of its person an entry attests; of an erased call nobody knows how it ended."""
    match kind:
        case "notice.delivered" | "notice.posted" | "obligation.delivered":
            return (kind.partition(".")[2],)
        case "obligation.closed" | "obligation.substitute" | "obligation.manual":
            return (kind.partition(".")[2],)
        case "notice.returned":
            return () if said.get("goes_on") else ("manual",)
        case "notice.called" if not said:
            return "delivered", "manual"
        case "notice.called" if said.get("reached") or said.get("outcome") == Outcome.TOLD.value:
            return ("delivered",)
        case "notice.called" if said.get("outcome") == Outcome.DECEASED.value:
            return ("manual",)
    return ()


@dataclass
class Counted:
    """What the entries add up to, and what they say of each notice."""

    entries: int = 0
    erased: int = 0
    last: Any = None  # the row of the last of them
    by_day: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # day in Hong Kong, channel, what
    ends: defaultdict[int, int] = field(default_factory=lambda: defaultdict(int))  # person to the states attested, as bits
    texts: dict[int, str] = field(default_factory=dict)  # notice to the digest of the text it was handed over with
    steps: list[tuple[datetime, str, str, dict[str, Any]]] = field(default_factory=list)  # of the campaign itself

    def count(self, one: Proven) -> None:
        """Take one more entry into account."""
        self.entries, self.last = self.entries + 1, one.row
        self.erased += one.salted is None
        kind, said = one.row.kind, one.content
        whose = one.row.subject.partition(":")[2]
        for state in _ends(kind, said) if whose.isdecimal() else ():
            self.ends[int(whose)] |= BITS[state]
        if kind.startswith("campaign."):
            self.steps.append((one.row.at, kind.partition(".")[2], one.row.actor, said))
        elif kind.startswith("notice."):
            day = f"{in_hong_kong(one.row.at):%Y-%m-%d}"
            self.by_day[day, str(said.get("channel", "")), kind.partition(".")[2]] += 1
            if "text" in said:
                self.texts[int(said["notice"])] = said["text"]


def head_at(session: Session, sequence: int | None = None) -> Any:
    """The last sealed row, or the one with this number: `sequence`, `mac`, `sealed_at`, `key_id`; None when there is none."""
    wanted = select(AuditEntry.sequence, AuditEntry.mac, AuditEntry.sealed_at, AuditEntry.key_id)
    wanted = wanted.where(AuditEntry.sequence.is_not(None) if sequence is None else AuditEntry.sequence == sequence)
    return session.execute(wanted.order_by(AuditEntry.sequence.desc()).limit(1)).first()
