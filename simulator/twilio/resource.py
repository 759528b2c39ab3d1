"""A message as Twilio's API shows it, and lists of them (docs: Messages resource; Twilio's Response, Paging)."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from simulator.clock import rfc2822
from simulator.twilio.errors import LATER, Refused
from simulator.twilio.status import Status
from simulator.world import World

PAGE_MOST = 1_000
PAGE_DEFAULT = 50


def shown(world: World, row: Mapping[str, Any] | sqlite3.Row) -> dict[str, Any]:
    """The JSON of one message."""
    found = {"error": None, "price": None, "sent": None, "media": "[]", "extra": "{}", **dict(row)}
    extra = json.loads(found["extra"])
    account = world.credentials.twilio_account_sid
    uri = f"/2010-04-01/Accounts/{account}/Messages/{found['sid']}"
    is_undecided = extra.get("pooled") and found["status"] in (Status.ACCEPTED, Status.SCHEDULED)
    obfuscate = extra.get("AddressRetention") == "obfuscate"
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": found["body"],
        "date_created": rfc2822(found["created"]),
        "date_sent": rfc2822(found["sent"]) if found["sent"] else None,
        "date_updated": rfc2822(found["updated"]),
        "direction": found["direction"],
        "error_code": found["error"],
        "error_message": LATER.get(found["error"]) if found["error"] else None,
        "from": None if is_undecided else found["sender"],
        "messaging_service_sid": found["service"],
        "num_media": str(len(json.loads(found["media"]))),
        "num_segments": "0" if is_undecided else str(found["segments"]),
        "price": found["price"],
        "price_unit": "USD",
        "sid": found["sid"],
        "status": str(found["status"]),
        "subresource_uris": {"media": f"{uri}/Media.json", "feedback": f"{uri}/Feedback.json"},
        "to": _hidden(found["recipient"]) if obfuscate else found["recipient"],
        "uri": f"{uri}.json",
    }


def listed(world: World, query: Mapping[str, str]) -> dict[str, Any]:
    """One page of messages, the newest first, filtered by To, From and DateSent; raises Refused."""
    size = _size(query.get("PageSize"))
    where, values = _filters(query)
    token = query.get("PageToken", "")
    if token:
        if not re.fullmatch(r"PT\d{1,15}", token):
            raise Refused(20001, "PageToken")
        where.append("n < ?")
        values.append(int(token[2:]))
    condition = f"WHERE {' AND '.join(where)}" if where else ""
    statement = f"SELECT * FROM texts {condition} ORDER BY n DESC LIMIT ?"  # noqa: S608 - conditions are our own words
    rows = world.store.all(statement, [*values, size + 1])
    page, number = rows[:size], _number(query.get("Page"))
    path = f"/2010-04-01/Accounts/{world.credentials.twilio_account_sid}/Messages.json"
    kept = {name: value for name, value in query.items() if name not in ("Page", "PageToken", "PageSize")}

    def uri(**more: object) -> str:
        return f"{path}?{urlencode({**kept, 'PageSize': size, **more})}"

    is_more = len(rows) > size
    return {
        "first_page_uri": uri(Page=0),
        "next_page_uri": uri(Page=number + 1, PageToken=f"PT{page[-1]['n']}") if is_more else None,
        "previous_page_uri": None,
        "page": number,
        "page_size": size,
        "start": number * size,
        "end": number * size + max(len(page) - 1, 0),
        "uri": uri(Page=number),
        "messages": [shown(world, row) for row in page],
    }


def _filters(query: Mapping[str, str]) -> tuple[list[str], list[Any]]:
    where: list[str] = []
    values: list[Any] = []
    for name, column in (("To", "recipient"), ("From", "sender")):
        if query.get(name):
            where.append(f"{column} = ?")
            values.append(query[name])
    for name, sign in (("DateSent<", "<"), ("DateSent>", ">"), ("DateSent", "=")):
        given = query.get(name)
        if given:
            at, is_day = _moment(given)
            if sign == "=":
                where += ["coalesce(sent, created) >= ?", "coalesce(sent, created) < ?"]
                values += [at, at + 86_400] if is_day else [int(at), int(at) + 1]
            else:
                where.append(f"coalesce(sent, created) {sign}= ?")
                values.append(at + 86_400 if is_day and sign == "<" else at)
    return where, values


def _moment(text: str) -> tuple[float, bool]:
    try:
        return datetime.fromisoformat(text if "+" in text or text.endswith("Z") else f"{text}+00:00").timestamp(), False
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(f"{text}T00:00:00+00:00").timestamp(), True
    except (ValueError, OverflowError):
        raise Refused(20001, "DateSent") from None


def _size(text: str | None) -> int:
    if not text:
        return PAGE_DEFAULT
    if not text.isdecimal() or not int(text[:9]) >= 1:
        raise Refused(20001, "PageSize")
    return min(int(text[:9]), PAGE_MOST)


def _number(text: str | None) -> int:
    return int(text[:6]) if text and text.isdecimal() else 0


def _hidden(address: str) -> str:
    return re.sub(r"\d{4}$", "XXXX", address)
