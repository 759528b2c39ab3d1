"""`cases`: who waits for a person."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from bot.base.clock import in_hong_kong, system_clock
from bot.base.database import Database
from bot.base.errors import Misconfigured
from bot.base.schema import at_head
from bot.cli.terminal import out, settings_now
from bot.conversations.models import Thread
from bot.desk.cases import unresolved
from bot.desk.models import Case

SHOWN = 50
"""Cases in the table."""
MOST = 20_000
"""Cases in the list."""

NUMBER_WIDTH = len("0000-0000-0")

Json = Annotated[bool, typer.Option("--json", help="Print a list instead of a table.")]


def cases(as_json: Json = False) -> None:
    """List the patients who wait for a person, the most urgent first."""
    found = open_cases(settings_now().database)
    if as_json:
        out.out(json.dumps(found, ensure_ascii=False))
        return
    if not found:
        out.print("Nobody is waiting for a person.")
        return
    now = system_clock()
    whole = Column("case", no_wrap=True, min_width=NUMBER_WIDTH)  # it is read out and typed: never cut
    table = Table(whole, "priority", "reason", "team", "status", "channel", "waiting since", "next due", box=None)
    for case in found[:SHOWN]:
        due = datetime.fromisoformat(case["due"])
        style = "red" if due < now else None
        table.add_row(
            case["number"],
            f"P{case['priority']}",
            case["reason"],
            case["team"],
            case["status"],
            case["channel"],
            _at(case["since"]),
            _at(case["due"]),
            style=style,
        )
    out.print(table)
    if len(found) > SHOWN:
        out.print(f"… and {len(found) - SHOWN} more: the console shows them all, and so does --json.")


def open_cases(database_url: str) -> list[dict[str, Any]]:
    """The unresolved cases, in the order of the queue; raises Misconfigured when there is no database yet."""
    database = Database(database_url)
    try:
        if not at_head(database.engine):
            raise Misconfigured("The database is not there yet or not up to date: `./candour up` brings it to where it must be.")
        with database.reading() as session:
            return [
                {
                    "number": case.number,
                    "priority": case.priority,
                    "reason": case.reason,
                    "team": case.team,
                    "status": case.status,
                    "channel": session.get_one(Thread, case.thread_id).channel,
                    "since": case.waiting_since.isoformat(),
                    "due": _due(case).isoformat(),
                }
                for case in unresolved(session, limit=MOST)
            ]
    finally:
        database.close()


def _due(case: Case) -> datetime:
    """What is due next: the first answer, the answer to later turns, or the end of the matter."""
    if case.first_responded_at is None:
        return case.first_response_due_at
    return case.next_response_due_at or case.resolution_due_at or case.first_response_due_at


def _at(moment: str) -> str:
    return in_hong_kong(datetime.fromisoformat(moment)).strftime("%d %b %H:%M")
