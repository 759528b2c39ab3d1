"""Whether somebody is on file changes no statement, no keyed hash and no queued row."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from bot.base.audit import AuditEntry
from bot.base.vault import BlindIndex
from bot.conversations.models import Reply, Turn
from bot.identity.models import Check, CodeDispatch
from bot.patients.references import new_reference
from tests.conftest import Keys
from tests.identity.conftest import Caller, House, Open

_ONE = r"(?:\?|%\(\w+\)s(?:::\w+)?)"
PARAMETERS = re.compile(rf"{_ONE}(?:, {_ONE})*")
"""However many values a statement is given, it is the same statement."""
TABLES = (Check, CodeDispatch, Reply, Turn, AuditEntry)


class CountingIndex(BlindIndex):
    """A blind index that counts the hashes it is asked for."""

    hashes = 0

    def index(self, kind: str, value: str) -> str:
        self.hashes += 1
        return super().index(kind, value)

    def every(self, kind: str, value: str) -> list[str]:
        found = super().every(kind, value)
        self.hashes += len(found)
        return found


class Watch:
    """What was done while somebody was answered."""

    def __init__(self, house: House, index: CountingIndex) -> None:
        self._house, self._index = house, index

    @contextmanager
    def done(self) -> Iterator[list[Any]]:
        """Collects the statements in order, the number of hashes and the rows that were added to each table."""
        statements: list[str] = []
        found: list[Any] = []

        def note(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
            statements.append(PARAMETERS.sub("…", statement))

        engine, before, hashes = self._house.database.engine, self._rows(), self._index.hashes
        sa.event.listen(engine, "before_cursor_execute", note)
        try:
            yield found
        finally:
            sa.event.remove(engine, "before_cursor_execute", note)
        found += [statements, self._index.hashes - hashes, self._rows() - before]

    def _rows(self) -> Counter[str]:
        return Counter({table.__tablename__: len(self._house.rows(table)) for table in TABLES})


@pytest.fixture
def watched(open_house: Open, keys: Keys) -> tuple[House, Watch]:
    index = CountingIndex(keys.index)
    house = open_house(index=index)
    return house, Watch(house, index)


def course(patient: Caller, watch: Watch, typed: str, way: str) -> list[Any]:
    """Everything from the first word to two wrong codes: what was said, offered and done at each step."""
    steps = [
        patient.starts,
        lambda: patient.hears(typed),
        lambda: patient.chooses(f"verify_by_{way}"),
        lambda: patient.hears("000000"),
        lambda: patient.hears("000000"),
        lambda: patient.hears("000000"),
        lambda: patient.chooses(f"verify_by_{'email' if way == 'mobile' else 'mobile'}"),
        lambda: patient.hears("cancel"),
    ]
    course = []
    for step in steps:
        with watch.done() as done:
            said = step()
        course.append((said, list(patient.choices()), done))
    return course


@pytest.mark.parametrize("way", ["mobile", "email"])
@pytest.mark.parametrize(
    ("known", "unknown"),
    [
        ("reference of P001", None),
        ("reference of P006", None),  # has died
        ("reference of P005", None),  # a child
        ("9123 4567", "9888 7777"),
        ("5345 6789", "9888 7777"),  # shared
        ("chan@example.com", "nobody@example.com"),
    ],
)
def test_known_and_unknown_do_and_say_the_same(watched: tuple[House, Watch], known: str, unknown: str | None, way: str) -> None:
    house, watch = watched
    if known.startswith("reference of "):
        known, unknown = house.references[known.removeprefix("reference of ")], new_reference()
    house.patient().starts()  # the publication is read once
    on_file = course(house.patient(), watch, known, way)
    stranger = course(house.patient(), watch, unknown or "", way)
    for number, (theirs, ours) in enumerate(zip(on_file, stranger, strict=True)):
        differing = [(a, b) for a, b in zip(theirs[2][0], ours[2][0], strict=False) if a != b]
        assert not differing, f"step {number}"
        assert theirs == ours, f"step {number}"
