"""An e-mail as its recipient sees it: substitutions made, bodies chosen, what is attached (docs: Mail Send, Personalizations)."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from simulator.world import World

UNSUBSCRIBE = ("<%asm_group_unsubscribe_raw_url%>", "<%asm_preferences_raw_url%>", "<%asm_global_unsubscribe_raw_url%>")


def seen(world: World, row: sqlite3.Row) -> dict[str, Any]:
    """Subject, text, html, from, reply_to, message id and names of attachments of one row of `mails`."""
    stored = world.store.one("SELECT body FROM requests WHERE id = ?", [row["request"]])
    body: dict[str, Any] = json.loads(stored["body"]) if stored else {"from": {"email": ""}, "content": []}
    people = body.get("personalizations") or [{}]
    person = people[row["position"]] if row["position"] < len(people) else {}
    values = {**(body.get("sections") or {}), **(person.get("substitutions") or {})}
    bodies = {block["type"].lower(): _filled(block["value"], values) for block in reversed(body.get("content") or [])}
    if body.get("template_id"):
        data = json.dumps(person.get("dynamic_template_data") or {}, ensure_ascii=False, indent=1)
        bodies.setdefault("text/plain", f"[template {body['template_id']}]\n{data}")
    sender = person.get("from") or body["from"]
    replies = body.get("reply_to") or (body.get("reply_to_list") or [sender])[0]
    headers = {name.lower(): value for name, value in {**(body.get("headers") or {}), **(person.get("headers") or {})}.items()}
    own = row["request"] if row["request"].startswith("<") else f"<{row['request']}@geopod-ismtpd-simulator>"
    return {
        "subject": _filled(row["subject"], values),
        "text": bodies.get("text/plain", ""),
        "html": bodies.get("text/html", ""),
        "from": sender.get("email", ""),
        "from_name": sender.get("name") or "",
        "to": body["to"] if isinstance(body.get("to"), str) else row["address"],
        "reply_to": replies.get("email", ""),
        "message_id": headers.get("message-id", own),
        "headers": headers,
        "attachments": [one.get("filename", "") for one in body.get("attachments") or []],
    }


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(name, value)
    for mark in UNSUBSCRIBE:
        text = text.replace(mark, "#unsubscribe")
    return text
