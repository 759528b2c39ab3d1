"""Rows become staged rows: compared with what is on file, sealed, hashed, a batch at a time."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import Counter
from functools import lru_cache
from typing import Any

from sqlalchemy import Table

from bot.base.vault import BlindIndex, Vault
from bot.patients.models import CONTACT, NUMBERS, RECORD, ContactKind, LinkKind
from bot.patients.roster import staging
from bot.patients.roster.contacts import Contact
from bot.patients.roster.onfile import OnFile, differences, entries_of, look_up, record_of
from bot.patients.roster.problems import mask
from bot.patients.roster.rows import Row

BATCH = 500
INDEX_KINDS = {ContactKind.EMAIL: "email", ContactKind.POST: "post", **dict.fromkeys(NUMBERS, "phone")}
"""Under which index each kind of contact is found."""
_WORDS = re.compile(r"[\W_]+")


class Batches:
    """Takes rows and stages them; counts what they change."""

    def __init__(self, stage: staging.Staging, vault: Vault, index: BlindIndex, *, on_file: bool) -> None:
        self._stage, self._vault, self._index = stage, vault, index
        self._on_file = on_file
        self._waiting: list[Row] = []
        # Of this run only: that two rows are alike is nothing to remember.
        self._salt = secrets.token_bytes(16)
        self._token = lru_cache(maxsize=20_000)(lambda word: index.index("name", word))
        self.added = self.changed = self.same = 0
        self.kinds: Counter[str] = Counter()

    def take(self, row: Row) -> None:
        """Stage a row, sooner or later."""
        self._waiting.append(row)
        if len(self._waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Stage what is waiting."""
        rows, self._waiting = self._waiting, []
        if not rows:
            return
        known: dict[int, OnFile] = {}
        if self._on_file:
            with self._stage.connection.begin():
                known = look_up(self._stage.connection, self._vault, entries_of(self._index, [row.key for row in rows]))
        staged: dict[Table, list[tuple[Any, ...]]] = {table: [] for table in staging.TABLES}
        for place, row in enumerate(rows):
            self._row(row, known.get(place), staged)
        self._stage.add(staged)

    def _row(self, row: Row, known: OnFile | None, staged: dict[Table, list[tuple[Any, ...]]]) -> None:
        entry = self._index.index("key", row.key)
        person_id = known.person.id if known else None
        staged[staging.ROWS].append((row.number, entry, person_id, row.minor, self._alike(row), mask(row.key)))
        for kind, key in ((LinkKind.GUARDIAN, row.guardian), (LinkKind.EMPLOYER, row.employer)):
            if key:
                staged[staging.LINKS].append((row.number, entry, kind.value, self._index.index("key", key), mask(key)))
        kinds = differences(row, entry, known) if known else []
        if known and not kinds:
            self.same += 1
            return
        self.changed += known is not None
        self.added += known is None
        self.kinds.update(kinds)
        staged[staging.PERSONS].append(self._person(row, entry, person_id))
        staged[staging.TOKENS].extend((entry, self._token(word)) for word in name_words(row.name, row.name_zh))
        self._contacts(row, entry, known, staged)

    def _person(self, row: Row, entry: str, person_id: int | None) -> tuple[Any, ...]:
        home = self._index.index("household", row.home) if row.home else None
        sealed = self._vault.seal(record_of(row), RECORD)
        flags = (row.minor, row.deceased, row.staff, row.protected, ",".join(row.not_by))
        return entry, person_id, sealed, home, row.language.value, *flags

    def _contacts(self, row: Row, entry: str, known: OnFile | None, staged: dict[Table, list[tuple[Any, ...]]]) -> None:
        old = {(point.kind, point.value): point for point in known.from_roster} if known else {}
        for place, contact in enumerate(row.contacts):
            if point := old.pop((contact.kind, contact.value), None):
                staged[staging.REVISIONS].append((entry, point.id, place, contact.safe, False))
            elif not (known and known.settled(contact)):
                staged[staging.CONTACTS].append((entry, *self._contact(contact, place)))
        staged[staging.REVISIONS].extend((entry, point.id, point.place, point.safe, True) for point in old.values())

    def _contact(self, contact: Contact, place: int) -> tuple[Any, ...]:
        entry = self._index.index(INDEX_KINDS[contact.kind], contact.value)
        return contact.kind.value, entry, self._vault.seal(contact.value, CONTACT), place, contact.safe

    def _alike(self, row: Row) -> str | None:
        if not row.contacts:
            return None
        values = sorted(contact.value.casefold() for contact in row.contacts)
        names = sorted(name_words(row.name, row.name_zh))
        return hashlib.blake2b("\0".join([*names, *values]).encode(), key=self._salt, digest_size=16).hexdigest()


def name_words(name: str, name_zh: str) -> set[str]:
    """The words of a name by which a person is looked for: each Latin one, the Chinese name as a whole."""
    words = {word for word in _WORDS.split(name.casefold()) if word}
    return words | {"".join(_WORDS.split(name_zh))} if name_zh else words
