"""The roster: a file is judged as a whole, shown masked, and applied when somebody has looked; before that nothing is stored.

The file stays in the browser. It is sent once to be judged and once more to be applied, with the code of what was shown: if the
file, or who is on file, is another one meanwhile, the code does not fit.
"""

from __future__ import annotations

import csv
import io
import tempfile
from functools import partial
from pathlib import Path
from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import HTMLResponse
from starlette.concurrency import run_in_threadpool

from bot.base.errors import BadInput
from bot.desk.staff.roles import Permission
from bot.patients.roster import imports
from bot.patients.roster.glimpses import glimpse
from bot.patients.roster.judging import Judgement, judged
from bot.patients.roster.sheet import SEPARATORS
from bot.web.console.answers import console_router
from bot.web.console.door import Staff, requires
from bot.web.console.notices import not_done
from bot.web.console.rendering import page
from bot.web.console.words import answer
from bot.web.limits import ROSTER_LIMIT

router = console_router()
SHOWN = 100
"""Problems shown on the page; the report has all of them."""
Importer = Annotated[Staff, requires(Permission.IMPORT_ROSTER)]
Sender = Annotated[Staff, requires(Permission.IMPORT_ROSTER, reads_form=False)]


@router.get("/roster", response_class=HTMLResponse)
def roster(staff: Importer) -> Response:
    """What was brought in, and the field for a file."""
    return _page(staff)


@router.post("/roster/judge", response_class=HTMLResponse)
async def judge(
    staff: Sender,
    request: Request,
    code: Annotated[str, Query(max_length=8)] = "",
    report: Annotated[str, Query(max_length=1)] = "",
) -> Response:
    """Judge the file in the body; with the code of what was shown, apply it; or give out the report of every problem."""
    with tempfile.TemporaryDirectory(prefix="roster-", dir=staff.door.application.settings.home) as folder:
        file = Path(folder) / "roster.csv"
        try:
            await _received(request, file)
            return await run_in_threadpool(_judged, staff, file, code, wants_report=bool(report))
        except BadInput as wrong:
            known = not_done(str(wrong)).key == "answers"
            told = answer(staff.language, str(wrong)) if known else str(wrong)
            return await run_in_threadpool(_page, staff, wrong=told, status=422)


async def _received(request: Request, file: Path) -> None:
    size = 0
    with file.open("wb") as held:
        async for chunk in request.stream():
            size += len(chunk)
            if size > ROSTER_LIMIT:
                raise BadInput(f"The file is larger than {ROSTER_LIMIT // 1_000_000} MB: this is no roster.")
            held.write(chunk)
    if not size:
        raise BadInput("Choose a file.")


def _judged(staff: Staff, file: Path, code: str, *, wants_report: bool) -> Response:
    application = staff.door.application
    listed = file.with_name("report.csv") if wants_report else None
    with judged(file, application.database, application.vault, application.index, report=listed) as judging:
        seen = judging.judgement
        if listed:
            return Response(_in_words(staff, listed), media_type="text/csv; charset=utf-8")
        if code:
            if code != seen.code:
                raise BadInput("Not applied: this is no longer what was confirmed. Look at it again.")
            number = judging.apply(by=staff.actor, at=staff.now)
            return _page(staff, applied=number)
    return _page(staff, seen=seen)


def _in_words(staff: Staff, listed: Path) -> bytes:
    """The report in the language of the page."""
    held = io.StringIO(newline="")
    with listed.open(encoding="utf-8-sig", newline="") as file:
        rows, report = csv.reader(file), csv.writer(held)
        next(rows)
        report.writerow(staff.t(f"roster.{head}") for head in ("row", "column", "value", "wrong", "outcome"))
        for row, column, value, reason, grade in rows:
            said = staff.t(f"roster.grade_{grade.replace(' ', '_')}")
            report.writerow((row, column, value, answer(staff.language, reason), said))
    return held.getvalue().encode("utf-8-sig")


def _page(staff: Staff, *, seen: Judgement | None = None, applied: int = 0, wrong: str = "", status: int = 200) -> Response:
    with staff.database.reading() as session:
        before = imports.imports(session)
    rows = [glimpse(row) for row in sorted(seen.sample, key=lambda row: row.number)] if seen and seen.well else []
    return page(
        staff,
        "console/roster.html",
        status=status,
        seen=seen,
        rows=rows,
        applied=applied,
        wrong=wrong,
        before=before,
        most=ROSTER_LIMIT // 1_000_000,
        separator=SEPARATORS.get(seen.separator, seen.separator) if seen else "",
        separators=SEPARATORS.values(),
        in_words=partial(answer, staff.language),
        shown=seen.problems.first[:SHOWN] if seen else [],
    )
