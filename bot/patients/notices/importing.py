"""A list of notices that were sent before: judged as a whole, then stored as a whole; rows already on file are left as they are.

Columns: person key, notice name, version (may be empty), channel, day. As with the roster, nothing is stored while a row is
refused, and a report shows shapes of values, never values.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.database import Database
from bot.base.errors import BadInput
from bot.base.vault import BlindIndex, Vault
from bot.patients.models import Person, Way
from bot.patients.notices.models import NoticeImport, NoticeOnFile
from bot.patients.roster.cells import Refused, clean
from bot.patients.roster.decoding import examine, lines
from bot.patients.roster.problems import Problem, Problems, mask

MOST_ROWS = 2_000_000
BATCH = 2000
EARLIEST = date(2000, 1, 1)
_HEADINGS = {
    "key": ("person key", "patient key", "key", "病人編號", "编号"),
    "name": ("notice name", "notice", "通知名稱", "通知"),
    "version": ("version", "版本"),
    "channel": ("channel", "way", "途徑"),
    "day": ("day", "date", "sent on", "日期"),
}
_OPTIONAL = frozenset({"version"})
_WAYS = {
    **{way.value: way for way in Way},
    "e-mail": Way.EMAIL,
    "mail": Way.LETTER,
    "post": Way.LETTER,
    "text": Way.SMS,
    "call": Way.PHONE,
    "telephone": Way.PHONE,
    "電郵": Way.EMAIL,
    "短訊": Way.SMS,
    "電話": Way.PHONE,
    "信": Way.LETTER,
    "信件": Way.LETTER,
    "郵寄": Way.LETTER,
}
_NAME = re.compile(r"[^\W_][\w .,&()'/-]{0,58}[\w.)]|[^\W_]")
_VERSION = re.compile(r"[\w .-]{0,20}")
_PEOPLE = re.compile(r"@|\d{7}")  # an address or a number has no place in the name of a notice

Row = tuple[int, str, str, str, date]
"""Person, name, version, way, day."""


@dataclass
class Judged:
    """What a list holds: its digest, the rows that can be stored, and everything that is wrong."""

    digest: str
    problems: Problems
    rows: set[Row] = field(default_factory=set)
    read: int = 0
    twice: int = 0

    @property
    def well(self) -> bool:
        """Whether it may be stored."""
        return self.problems.refused == 0 and bool(self.rows)


def judged(file: Path, database: Database, index: BlindIndex, *, today: date, report: Path | None = None) -> Judged:
    """Read and judge a whole list; raises BadInput when it is no such list at all."""
    encoded = examine(file)
    found = Judged(encoded.digest, Problems(report=report))
    with database.reading() as session:
        known = dict(session.execute(select(Person.key_entry, Person.id)).all())
    persons = _Persons(known, index)
    with file.open("rb") as opened:
        records = _records(lines(opened, encoded))
        places = _places(next(records, (0, []))[1])
        for number, cells in records:
            found.read += 1
            if found.read > MOST_ROWS:
                raise BadInput(f"The list has more than {MOST_ROWS:,} rows.")
            row = _row(number, cells, places, persons, today, found.problems)
            found.twice += row in found.rows
            if row:
                found.rows.add(row)
    found.problems.flush()
    return found


def store(session: Session, vault: Vault, found: Judged, *, by: str, at: datetime) -> tuple[int, int]:
    """Store a list that was judged well: (its number, rows that were new). Raises BadInput for one that was not."""
    if not found.well:
        raise BadInput("The list has to be mended first.")
    on_file = _on_file(session)
    new = sorted(found.rows - on_file)
    imported = NoticeImport(digest=found.digest, by=by, at=at, added=len(new))
    session.add(imported)
    session.flush()
    for start in range(0, len(new), BATCH):
        session.execute(
            NoticeOnFile.__table__.insert(),  # type: ignore[attr-defined]
            [
                {"person_id": p, "name": n, "version": v, "way": w, "sent_on": d, "import_id": imported.id}
                for p, n, v, w, d in new[start : start + BATCH]
            ],
        )
    content = {"import": imported.id, "sha256": found.digest, "rows": len(found.rows), "added": len(new)}
    audit.record(session, at=at, actor=by, kind="notices.imported", subject="roster", content=content, vault=vault)
    return imported.id, len(new)


def _on_file(session: Session) -> set[Row]:
    known = select(NoticeOnFile.person_id, NoticeOnFile.name, NoticeOnFile.version, NoticeOnFile.way, NoticeOnFile.sent_on)
    return {(p, n, v, w, d) for p, n, v, w, d in session.execute(known)}


@dataclass
class _Persons:
    """Persons by the clinic's key, looked up under every live key."""

    by_entry: Mapping[str, int]
    index: BlindIndex

    def find(self, key: str) -> int | None:
        return next((self.by_entry[entry] for entry in self.index.every("key", key) if entry in self.by_entry), None)


def _records(source: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(source, strict=True)
    number = 0
    try:
        for number, cells in enumerate(reader, start=1):
            if any(cell.strip() for cell in cells):
                yield number, cells
    except csv.Error:
        raise BadInput(f"Row {number + 1} is not CSV.") from None


def _places(cells: list[str]) -> Mapping[str, int]:
    """Where each column stands; raises BadInput naming those that are missing or twice there."""
    headings = [" ".join(cell.strip().casefold().replace("_", " ").split()) for cell in cells]
    places = {}
    for column, names in _HEADINGS.items():
        at = [place for place, heading in enumerate(headings) if heading in names]
        if len(at) > 1:
            raise BadInput(f"The column `{names[0]}` is there twice.")
        if at:
            places[column] = at[0]
    missing = [names[0] for column, names in _HEADINGS.items() if column not in places and column not in _OPTIONAL]
    if missing:
        raise BadInput(f"This is no list of notices: the first row does not name {', '.join(missing)}.")
    return places


def _row(
    number: int, cells: list[str], places: Mapping[str, int], persons: _Persons, today: date, problems: Problems
) -> Row | None:
    wrong: list[Problem] = []

    def cell(column: str) -> str:
        raw = cells[places[column]] if column in places and places[column] < len(cells) else ""
        try:
            return clean(raw, None)
        except Refused as refused:
            wrong.append(Problem(number, column, mask(raw), str(refused)))
            return ""

    def need(column: str, value: object, text: str, reason: str) -> None:
        if not value and not any(problem.column == column for problem in wrong):
            wrong.append(Problem(number, column, mask(text), reason))

    key, name, version, channel, day = (cell(column) for column in _HEADINGS)
    person_id = persons.find(key) if key else None
    need("key", person_id, key, "nobody on the roster has this key" if key else "the key is missing")
    need("name", _NAME.fullmatch(name) and not _PEOPLE.search(name), name, "not the name of a notice")
    need("version", _VERSION.fullmatch(version), version, "not a version")
    way = _WAYS.get(channel.casefold())
    need("channel", way, channel, "not one of email, sms, whatsapp, phone, letter")
    sent_on = _day(day)
    need("day", sent_on and EARLIEST <= sent_on <= today, day, "not a day such as 2023-05-05, or one to come")
    problems.add(wrong)
    if wrong or person_id is None or way is None or sent_on is None:
        return None
    return person_id, name, version, way.value, sent_on


def _day(text: str) -> date | None:
    """A day as year, month, day; or as day, month, year, the way Hong Kong writes it."""
    for pattern, order in (
        (r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?", (1, 2, 3)),
        (r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})", (3, 2, 1)),
    ):
        if match := re.fullmatch(pattern, text):
            try:
                return date(*(int(match[place]) for place in order))
            except ValueError:
                return None
    return None


def today_in_hong_kong(at: datetime) -> date:
    """The day it is in Hong Kong at a moment."""
    return (at.astimezone(UTC) + timedelta(hours=8)).date()
