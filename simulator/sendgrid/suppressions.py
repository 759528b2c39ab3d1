"""The lists of addresses SendGrid does not write to, and their API.

Docs: Suppressions (Bounces, Blocks, Invalid Emails, Spam Reports, Global Suppressions, Unsubscribe Groups, Group Suppressions).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from simulator.sendgrid.errors import Refused
from simulator.world import World

LISTS = ("bounces", "blocks", "invalid_emails", "spam_reports")
GLOBAL = "global"
PAGE_MOST = 500


def add(world: World, name: str, email: str, **detail: str) -> None:
    """Put an address on a list; it stays as it was when it is already there."""
    values = [name, email.lower(), int(world.clock.now()), json.dumps(detail)]
    world.store.run("INSERT OR IGNORE INTO suppressions VALUES (?, ?, ?, ?)", values)


def remove(world: World, name: str, email: str) -> bool:
    """Take an address off a list; returns whether it was there."""
    return world.store.run("DELETE FROM suppressions WHERE list = ? AND email = ?", [name, email.lower()]) > 0


def follow(world: World, email: str, event: str, detail: Mapping[str, Any], group: int | None) -> None:
    """Put an address on the list that an event leads to."""
    reason = str(detail.get("reason", ""))
    if event == "bounce":
        name = "bounces" if detail.get("type") == "bounce" else "blocks"
        add(world, name, email, reason=reason, status=str(detail.get("status", "")))
    elif event == "dropped" and reason == "Invalid":
        add(world, "invalid_emails", email, reason="Mail domain mentioned in email address is unknown")
    elif event == "spamreport":
        add(world, "spam_reports", email, ip="192.0.2.25")
    elif event == "unsubscribe":
        add(world, GLOBAL, email)
    elif event == "group_unsubscribe" and group:
        add(world, f"group:{group}", email)
    elif event == "group_resubscribe" and group:
        remove(world, f"group:{group}", email)


def reason_to_drop(world: World, email: str, group: int | None, bypass: Collection[str]) -> str | None:
    """Why an e-mail is dropped, or none (docs: Event Webhook, dropped; Mail Send, bypass settings). Blocks do not drop."""
    rows = world.store.all("SELECT list FROM suppressions WHERE email = ?", [email])
    if not rows or "bypass_list_management" in bypass:
        return None
    held = {row["list"] for row in rows}
    if "bounces" in held and "bypass_bounce_management" not in bypass:
        return "Bounced Address"
    if "invalid_emails" in held:
        return "Invalid"
    if "spam_reports" in held and "bypass_spam_management" not in bypass:
        return "Spam Reporting Address"
    if GLOBAL in held and "bypass_unsubscribe_management" not in bypass:
        return "Unsubscribed Address"
    return "Group Unsubscribe" if group and f"group:{group}" in held else None


def listed(world: World, name: str, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """A page of one list, the newest first (start_time, end_time, email, limit up to 500, offset)."""

    def number(key: str, default: int) -> int:
        text = query.get(key, "")
        if text and not (text.isdecimal() and len(text) < 13):
            raise Refused.single(400, f"{key} must be a whole number", key)
        return int(text) if text else default

    values: list[Any] = [name, number("start_time", 0), number("end_time", 2**40)]
    condition = "list = ? AND created >= ? AND created <= ?"
    if query.get("email"):
        condition += " AND email = ?"
        values.append(query["email"].lower())
    statement = f"SELECT * FROM suppressions WHERE {condition} ORDER BY created DESC, email LIMIT ? OFFSET ?"  # noqa: S608
    rows = world.store.all(statement, [*values, min(number("limit", PAGE_MOST), PAGE_MOST), number("offset", 0)])
    return [{"created": row["created"], "email": row["email"], **json.loads(row["detail"])} for row in rows]


def one(world: World, name: str, email: str) -> list[dict[str, Any]]:
    """The entry of an address on a list, as a list of none or one."""
    return listed(world, name, {"email": email})


def delete_many(world: World, name: str, body: Mapping[str, Any]) -> None:
    """Delete all entries, or those of the addresses named; raises Refused."""
    emails = body.get("emails")
    if body.get("delete_all") is True:
        if emails:
            raise Refused.single(400, "delete_all and emails cannot be used together", "delete_all")
        world.store.run("DELETE FROM suppressions WHERE list = ?", [name])
    elif isinstance(emails, list) and emails and all(isinstance(email, str) for email in emails):
        for email in emails:
            remove(world, name, email)
    else:
        raise Refused.single(400, "either delete_all or emails must be given", "emails")


def addresses_of(body: Mapping[str, Any]) -> list[str]:
    """The `recipient_emails` of a request; raises Refused."""
    emails = body.get("recipient_emails")
    if not isinstance(emails, list) or not emails or not all(isinstance(email, str) and "@" in email for email in emails):
        raise Refused.single(400, "recipient_emails must be an array of e-mail addresses", "recipient_emails")
    return emails


# ---------------------------------------------------------------- unsubscribe groups


def groups(world: World) -> list[dict[str, Any]]:
    """All unsubscribe groups."""
    return [_group(world, row) for row in world.store.all("SELECT * FROM groups ORDER BY id")]


def group(world: World, number: int) -> dict[str, Any]:
    """One unsubscribe group; raises Refused."""
    row = world.store.one("SELECT * FROM groups WHERE id = ?", [number])
    if row is None:
        raise Refused.single(404, "group not found")
    return _group(world, row)


def save_group(world: World, body: Mapping[str, Any], number: int | None = None) -> dict[str, Any]:
    """Make a group, or change one; raises Refused."""
    before = group(world, number) if number is not None else {"name": "", "description": "", "is_default": False}
    name, text = body.get("name", before["name"]), body.get("description", before["description"])
    if not isinstance(name, str) or not 1 <= len(name) <= 30:
        raise Refused.single(400, "name must have between 1 and 30 characters", "name")
    if not isinstance(text, str) or len(text) > 100:
        raise Refused.single(400, "description cannot have more than 100 characters", "description")
    row = world.store.one("SELECT coalesce(max(id), 100) + 1 AS id FROM groups")
    number = number if number is not None else (row["id"] if row else 101)
    values = [number, name, text, bool(body.get("is_default", before["is_default"]))]
    world.store.run("INSERT OR REPLACE INTO groups VALUES (?, ?, ?, ?)", values)
    return group(world, number)


def delete_group(world: World, number: int) -> None:
    """Delete a group and its entries; raises Refused."""
    group(world, number)
    world.store.run("DELETE FROM groups WHERE id = ?", [number])
    world.store.run("DELETE FROM suppressions WHERE list = ?", [f"group:{number}"])


def members(world: World, name: str) -> list[str]:
    """The addresses on a list."""
    return [row["email"] for row in world.store.all("SELECT email FROM suppressions WHERE list = ? ORDER BY email", [name])]


def _group(world: World, row: Mapping[str, Any] | Any) -> dict[str, Any]:
    count = world.store.one("SELECT count(*) AS number FROM suppressions WHERE list = ?", [f"group:{row['id']}"])
    return {
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "is_default": bool(row["is_default"]),
        "unsubscribes": count["number"] if count else 0,
        "last_email_sent_at": None,
    }
