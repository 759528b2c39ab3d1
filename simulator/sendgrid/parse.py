"""E-mail typed by a recipient: written as a mail with headers, and posted as Inbound Parse does.

Docs: Setting Up the Inbound Parse Webhook (default and raw parameters); Securing your Inbound Parse Webhooks (signature).
"""

from __future__ import annotations

import base64
import binascii
import codecs
import json
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any

from simulator.courier import PARSE, Letter, send
from simulator.sendgrid.validation import is_address
from simulator.world import World

TEXT_MOST = 5_000_000
KINDS = ("reply", "auto_reply", "bounce_message")
IP = "192.0.2.77"


class CannotWrite(ValueError):
    """This cannot be an e-mail."""


@dataclass(frozen=True)
class Typed:
    """What the recipient writes; `attachments` are {filename, type, base64}; `headers` are put on top of the usual ones."""

    patient: str
    to: str
    subject: str = ""
    text: str = ""
    html: str = ""
    name: str = ""
    in_reply_to: str = ""
    kind: str = "reply"
    charset: str = "utf-8"
    spf: str = "pass"
    dkim: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    attachments: list[dict[str, str]] = field(default_factory=list)
    times: int = 1


def receive(world: World, typed: Typed) -> str:
    """Take an e-mail in the caller's transaction and post it; returns its id; raises CannotWrite."""
    _check(typed)
    identity = f"<{secrets.token_hex(12)}@{typed.patient.rpartition('@')[2]}>"
    try:
        mail = _mail(world, typed, identity)
        raw = mail.as_bytes()
    except (ValueError, LookupError, TypeError, IndexError, UnicodeError, binascii.Error):
        raise CannotWrite("the headers, charset or attachments cannot be written as an e-mail") from None
    now = world.clock.now()
    body = {
        "from": {"email": typed.patient, "name": typed.name},
        "to": typed.to,
        "subject": typed.subject,
        "content": _content(typed),
    }
    world.store.insert("requests", {"id": identity, "body": json.dumps(body), "created": now})
    row = {
        "request": identity,
        "position": 0,
        "patient": typed.patient.lower(),
        "address": typed.patient,
        "direction": "inbound",
        "meta": json.dumps({"kind": typed.kind}),
        "subject": typed.subject,
        "status": "received",
        "created": now,
        "updated": now,
    }
    world.store.insert("mails", row)
    send(
        world,
        Letter(PARSE, world.configuration.sendgrid.parse_url, _parts(world, typed, mail, raw), identity),
        waits=[0.0] * typed.times,
    )
    return identity


def _check(typed: Typed) -> None:
    if not is_address(typed.patient) or not is_address(typed.to):
        raise CannotWrite("`patient` and `to` must be e-mail addresses")
    if typed.kind not in KINDS:
        raise CannotWrite(f"`kind` must be one of {', '.join(KINDS)}")
    if len(typed.text) + len(typed.html) > TEXT_MOST:
        raise CannotWrite("the text is too long")
    if any(sign in one for one in (typed.subject, typed.name, typed.in_reply_to) for sign in "\r\n"):
        raise CannotWrite("a header cannot hold a line break")
    try:
        codecs.lookup(typed.charset)
    except LookupError:
        raise CannotWrite("there is no such charset") from None


def _content(typed: Typed) -> list[dict[str, str]]:
    bodies = (("text/plain", typed.text), ("text/html", typed.html))
    return [{"type": kind, "value": value} for kind, value in bodies if value]


def _mail(world: World, typed: Typed, identity: str) -> EmailMessage:
    mail = EmailMessage()
    mail["Received"] = f"from mail.example.test ({IP}) by mx.sendgrid.net with ESMTP"
    mail["Date"] = format_datetime(datetime.fromtimestamp(int(world.clock.now()), UTC))
    mail["From"] = (
        Address(typed.name, addr_spec=typed.patient) if typed.kind != "bounce_message" else "MAILER-DAEMON@mx.example.test"
    )
    mail["To"] = typed.to
    mail["Subject"] = typed.subject
    mail["Message-ID"] = identity
    if typed.in_reply_to:
        mail["In-Reply-To"] = mail["References"] = typed.in_reply_to
    if typed.kind == "auto_reply":
        mail["Auto-Submitted"], mail["Precedence"], mail["X-Auto-Response-Suppress"] = "auto-replied", "bulk", "All"
    if typed.kind == "bounce_message":
        mail["Auto-Submitted"], mail["Return-Path"] = "auto-generated", "<>"
    for name, value in typed.headers.items():
        mail[name] = value
    mail.set_content(typed.text or " ", charset=typed.charset)
    if typed.html:
        mail.add_alternative(typed.html, subtype="html", charset=typed.charset)
    for one in typed.attachments:
        main, _, sub = one.get("type", "application/octet-stream").partition("/")
        content = base64.b64decode(one["base64"], validate=True)
        mail.add_attachment(content, maintype=main, subtype=sub or "octet-stream", filename=one["filename"])
    return mail


def _parts(world: World, typed: Typed, mail: EmailMessage, raw: bytes) -> list[dict[str, Any]]:
    sender = "" if typed.kind == "bounce_message" else typed.patient
    domain = typed.patient.rpartition("@")[2]
    envelope = json.dumps({"to": [typed.to], "from": sender})
    charsets = {"to": "UTF-8", "from": "UTF-8", "subject": "UTF-8"}
    shared = {
        "dkim": typed.dkim or f"{{@{domain} : pass}}",
        "to": typed.to,
        "from": str(mail["From"]),
        "subject": typed.subject,
        "sender_ip": IP,
        "envelope": envelope,
        "SPF": typed.spf,
        "spam_score": "0.1",
        "spam_report": "Spam detection software: not spam",
    }
    if world.configuration.sendgrid.parse_is_raw:
        fields = {**shared, "email": raw.decode("utf-8", "replace"), "charsets": json.dumps(charsets)}
        return [{"name": name, "text": text} for name, text in fields.items()]
    head = raw.partition(b"\n\n")[0].decode("utf-8", "replace")
    parts: list[dict[str, Any]] = [{"name": name, "text": text} for name, text in {"headers": head + "\n", **shared}.items()]
    for name, text in (("text", typed.text), ("html", typed.html)):
        if text:
            # The body's bytes stay in the charset the sender chose; `charsets` tells which.
            parts.append({"name": name, "text": text, "charset": typed.charset})
            charsets[name] = typed.charset
    parts.append({"name": "charsets", "text": json.dumps(charsets)})
    parts.append({"name": "attachments", "text": str(len(typed.attachments))})
    return parts + _attached(typed)


def _attached(typed: Typed) -> list[dict[str, Any]]:
    if not typed.attachments:
        return []
    info = {
        f"attachment{place}": {
            "filename": one["filename"],
            "name": one["filename"],
            "type": one.get("type", "application/octet-stream"),
        }
        for place, one in enumerate(typed.attachments, 1)
    }
    files = [{**info[name], "name": name, "base64": one["base64"]} for name, one in zip(info, typed.attachments, strict=True)]
    return [{"name": "attachment-info", "text": json.dumps(info)}, *files]
