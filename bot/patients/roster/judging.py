"""A whole file is judged before a row of it is stored, and what it would change is known before it is applied."""

from __future__ import annotations

import hashlib
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.base.database import Database
from bot.base.errors import BadInput
from bot.base.vault import BlindIndex, Vault
from bot.patients.models import Person
from bot.patients.roster import applying, decoding
from bot.patients.roster.applying import Applying
from bot.patients.roster.batches import Batches
from bot.patients.roster.cells import key_is_hkid
from bot.patients.roster.decoding import Encoded
from bot.patients.roster.headings import Column, Layout
from bot.patients.roster.imports import state_of
from bot.patients.roster.problems import Grade, Problem, Problems
from bot.patients.roster.rows import Reader, Row
from bot.patients.roster.sheet import Sheet, digest_fits
from bot.patients.roster.staging import Staging

Progress = Callable[[int, int], None]
"""Told how many rows have been read, and of how many, about."""

SAMPLE = 8
HKID_SHARE = 0.4
"""Of keys in the form of an identity card number one in eleven has a right check digit by chance."""
REPORT_EVERY = 1000
MOST_CLINICS = 200


@dataclass
class Judgement:
    """What a file is, what is wrong with it, and what it would change."""

    encoded: Encoded
    layout: Layout
    separator: str
    problems: Problems
    rows: int = 0
    persons: int = 0
    added: int = 0
    changed: int = 0
    same: int = 0
    missing: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    contacts: Counter[str] = field(default_factory=Counter)
    clinics: Counter[str] = field(default_factory=Counter)
    sample: list[Row] = field(default_factory=list)
    judged_on: int = 0

    @property
    def paired_by_digest(self) -> bool:
        """Whether each row carries the digest that proves its cells belong together."""
        return Column.DIGEST in self.layout.places

    @property
    def well(self) -> bool:
        """Whether it may be applied."""
        return not self.problems.refused and bool(self.persons)

    @property
    def counts(self) -> dict[str, Any]:
        """What the sealed log keeps: numbers, nothing of anybody."""
        numbers = {name: getattr(self, name) for name in ("rows", "added", "changed", "same", "missing")}
        kinds, clinics = dict(sorted(self.kinds.items())), dict(sorted(self.clinics.items()))
        left_out = self.problems.of(Grade.LEFT_OUT)
        return {**numbers, "left_out": left_out, "changed_by_kind": kinds, **({"clinics": clinics} if clinics else {})}

    @property
    def code(self) -> str:
        """What whoever has seen this judgement gives back to have exactly this applied."""
        seen = json.dumps([self.encoded.digest, self.judged_on, self.counts], sort_keys=True)
        return hashlib.sha256(seen.encode()).hexdigest()[:8]


class Judging:
    """One file, judged and waiting on one connection; made by `judged`."""

    def __init__(self, stage: Staging, database: Database, vault: Vault, judgement: Judgement) -> None:
        self._stage, self._database, self._vault = stage, database, vault
        self.judgement = judgement

    def apply(self, *, by: str, at: datetime) -> int:
        """Apply it and return the import's number; raises BadInput when it may not be or the roster has changed.

        It goes in piece by piece, so that nobody at a door waits for it. A process that dies on its way leaves an import
        that is not finished, which everybody is told of; the same file once more adds what is missing.
        """
        seen = self.judgement
        if not seen.well:
            raise BadInput("The file is not applied: what the report names has to be mended first.")
        order = applying.Order(digest=seen.encoded.digest, by=by, at=at, counts=seen.counts, judged_on=seen.judged_on)
        return Applying(self._stage.connection, self._database, order, self._vault).run()


@contextmanager
def judged(
    path: Path,
    database: Database,
    vault: Vault,
    index: BlindIndex,
    *,
    report: Path | None = None,
    progress: Progress = lambda rows, of: None,
) -> Iterator[Judging]:
    """Judge a file; within the block it may be applied. Raises BadInput when it is no roster at all."""
    encoded = decoding.examine(path)
    connection = database.engine.connect()
    try:
        stage = Staging(connection)
        with connection.begin():
            judged_on = state_of(connection)
            on_file = connection.scalar(sa.select(sa.exists().where(Person.id > 0)))
        batches = Batches(stage, vault, index, on_file=bool(on_file))
        with path.open("rb") as file:
            sheet = Sheet(file, encoded)
            judgement = Judgement(encoded, sheet.layout, sheet.separator, Problems(report=report), judged_on=judged_on)
            _read(sheet, judgement, batches, lambda rows: progress(rows, rows * encoded.size // (file.tell() or 1)))
            if decoding.digest_of(file) != encoded.digest:
                raise BadInput("The file changed while it was read.")
        _conclude(stage, batches, judgement)
        yield Judging(stage, database, vault, judgement)
    finally:
        # The temporary tables go with the connection.
        connection.invalidate()
        connection.close()


def _read(sheet: Sheet, judgement: Judgement, batches: Batches, progress: Callable[[int], None]) -> None:
    reader, keys = Reader(sheet.layout), _Keys()
    # Seeded by the file: whoever checks it twice sees the same rows.
    choose = random.Random(judgement.encoded.digest)  # noqa: S311 - nothing secret
    for number, cells in sheet.rows():
        plain, problems = reader.cleaned(number, cells)
        if judgement.paired_by_digest and not problems and not digest_fits(plain, sheet.layout):
            problems.append(Problem(number, Column.DIGEST, "", "the row is not what its digest was made of: a column is shifted"))
        row = None
        if not problems:
            row, problems = reader.read(number, plain)
        judgement.rows += 1
        judgement.problems.add(problems)
        if row:
            judgement.persons += 1
            keys.add(row.key)
            judgement.contacts.update(contact.kind.value for contact in row.contacts)
            if row.clinic:
                judgement.clinics[row.clinic] += 1
                if len(judgement.clinics) > MOST_CLINICS:
                    raise BadInput(f"The column “{Column.CLINIC}” names more than {MOST_CLINICS} clinics: is it another column?")
            _keep_sample(judgement, row, choose)
            batches.take(row)
        if judgement.rows % REPORT_EVERY == 0:
            progress(judgement.rows)
    batches.flush()
    judgement.problems.add(keys.problems())
    progress(judgement.rows)


def _keep_sample(judgement: Judgement, row: Row, choose: random.Random) -> None:
    """Each row gets into the sample with the same chance."""
    if len(judgement.sample) < SAMPLE:
        judgement.sample.append(row)
    elif (place := choose.randrange(judgement.persons)) < SAMPLE:
        judgement.sample[place] = row


def _conclude(stage: Staging, batches: Batches, judgement: Judgement) -> None:
    stage.settle()
    judgement.problems.add(stage.conflicts())
    judgement.added, judgement.changed, judgement.same = batches.added, batches.changed, batches.same
    judgement.kinds = batches.kinds
    with stage.connection.begin():
        judgement.missing = stage.connection.scalar(sa.select(sa.func.count(Person.id)).where(applying.missing_persons())) or 0
    if not judgement.rows:
        judgement.problems.add([Problem(0, "", "", "the file has headings and no row")])
    judgement.problems.flush()


class _Keys:
    """What only all keys together tell: that a spreadsheet took the zeros away, or that they are identity card numbers."""

    def __init__(self) -> None:
        self._widths: Counter[int] = Counter()
        self._zero: Counter[int] = Counter()
        self._forms: Counter[bool] = Counter()

    def add(self, key: str) -> None:
        """Take note of a key."""
        if key.isdigit():
            self._widths[len(key)] += 1
            self._zero[len(key)] += key.startswith("0")
        elif (valid := key_is_hkid(key)) is not None:
            self._forms[valid] += 1

    def problems(self) -> Sequence[Problem]:
        """What is wrong with the keys as a whole."""
        found = []
        widest = max(self._widths, default=0)
        shorter = sum(number for width, number in self._widths.items() if width < widest)
        if shorter and self._zero[widest]:
            reason = f"{shorter} keys are shorter than the others, which begin with 0: a spreadsheet has taken their zeros away"
            found.append(Problem(0, Column.KEY, "", re.sub(r"^1 keys are", "1 key is", reason)))
        if self._forms[True] and self._forms[True] >= HKID_SHARE * self._forms.total():
            found.append(Problem(0, Column.KEY, "", f"{self._forms[True]} patient keys are Hong Kong identity card numbers"))
        return found
