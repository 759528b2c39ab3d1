"""Cursors: where the next page begins, in a form that programs hand back and do not read."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime

from bot.web.api.problems import Problem

LONGEST = 200


def cursor_of(parts: Sequence[int | str]) -> str:
    """A cursor out of the place of the last row of a page."""
    return base64.urlsafe_b64encode(json.dumps(list(parts), separators=(",", ":")).encode()).decode().rstrip("=")


def place_of(cursor: str) -> tuple[int, datetime, int]:
    """Priority, moment and number of the last row; raises Problem for a cursor that is not ours."""
    parts = _parts(cursor, 3)
    try:
        at = datetime.fromisoformat(str(parts[1]))
    except ValueError:
        raise _foreign() from None
    if at.tzinfo is None:
        raise _foreign()
    return _number(parts[0]), at, _number(parts[2])


def number_of(cursor: str) -> int:
    """The number of the last row; raises Problem for a cursor that is not ours."""
    return _number(_parts(cursor, 1)[0])


def name_of(cursor: str) -> str:
    """The name of the last row; raises Problem for a cursor that is not ours."""
    return str(_parts(cursor, 1)[0])


def _parts(cursor: str, many: int) -> list[object]:
    try:
        found = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise _foreign() from None
    if not isinstance(found, list) or len(found) != many:
        raise _foreign()
    return found


def _number(part: object) -> int:
    if not isinstance(part, int) or isinstance(part, bool) or not 0 <= part < 2**31:
        raise _foreign()
    return part


def _foreign() -> Problem:
    return Problem("not_as_described", errors=[{"where": "query.cursor", "what": "This cursor was not given by us."}])
