"""Hooks as the providers would make and sign them, one maker per channel of the list."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr
from twilio.request_validator import RequestValidator

from bot.base.settings import Settings
from bot.channels.base import Hook, HookKind

PUBLIC = "https://help.example.hk"
TOKEN = "0123456789abcdef0123456789abcdef"
SECRET = "a-long-secret-in-the-address"
KEY = ec.generate_private_key(ec.SECP256R1())
PATIENT = {"sms": "+85291234567", "whatsapp": "+85291234567", "email": "chan@mail.example"}
OWN = {"sms": "+85264500001", "whatsapp": "+85264500003", "email": "care@clinic.example"}
BOUNDARY = "xYzZY"


def account(home: Path, url: str = "", **more: object) -> Settings:
    """Settings with an account at every provider."""
    public = KEY.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    given: dict[str, object] = {
        "public_url": PUBLIC,
        "twilio_account_sid": "AC" + "0" * 32,
        "twilio_auth_token": SecretStr(TOKEN),
        "twilio_url": url,
        "sendgrid_url": url,
        "sendgrid_api_key": SecretStr("SG.test"),
        "sendgrid_webhook_key": base64.b64encode(public).decode(),
        "inbound_secret": SecretStr(SECRET),
        "sms_numbers": OWN["sms"],
        "whatsapp_numbers": OWN["whatsapp"],
        "email_addresses": OWN["email"],
    }
    return Settings(_env_file=None, home=home, **{**given, **more})  # type: ignore[arg-type]


def twilio(kind: HookKind, form: Mapping[str, str], query: str = "", token: str = TOKEN) -> Hook:
    """A hook of Twilio's, signed by its own library."""
    path = "/hooks/twilio/messages" if kind is HookKind.TWILIO_MESSAGES else "/hooks/twilio/status"
    url = f"{PUBLIC}{path}{query}"
    signature = RequestValidator(token).compute_signature(url, dict(form))
    headers = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8", "x-twilio-signature": signature}
    return Hook(kind, url, headers, urlencode(dict(form)).encode())


def events(listed: list[dict[str, object]], stamp: str = "1683594000", key: ec.EllipticCurvePrivateKey = KEY) -> Hook:
    """Signed events of SendGrid's."""
    body = json.dumps(listed).encode()
    signature = base64.b64encode(key.sign(stamp.encode() + body, ec.ECDSA(hashes.SHA256()))).decode()
    headers = {
        "content-type": "application/json",
        "x-twilio-email-event-webhook-signature": signature,
        "x-twilio-email-event-webhook-timestamp": stamp,
    }
    return Hook(HookKind.SENDGRID_EVENTS, f"{PUBLIC}/hooks/sendgrid/events", headers, body)


def letter(fields: Mapping[str, str], secret: str = SECRET, files: Mapping[str, bytes] | None = None) -> Hook:
    """A post of Inbound Parse."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value.encode() + b"\r\n"
        for name, value in fields.items()
    ]
    parts += [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="attachment1"; filename="{name}"\r\n'
        f"Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + b"\r\n"
        for name, content in (files or {}).items()
    ]
    body = b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()
    headers = {"content-type": f"multipart/form-data; boundary={BOUNDARY}"}
    return Hook(HookKind.SENDGRID_INBOUND, f"{PUBLIC}/hooks/sendgrid/inbound/{secret}", headers, body, secret)


def mail_fields(
    text: str, *, sender: str = PATIENT["email"], headers: str = "", subject: str = "", **more: str
) -> dict[str, str]:
    """The fields of an ordinary e-mail."""
    head = f"From: {sender}\nTo: {OWN['email']}\nMessage-ID: <m1@mail.example>\n{headers}"
    envelope = json.dumps({"to": [OWN["email"]], "from": sender})
    return {
        "headers": head,
        "from": sender,
        "to": OWN["email"],
        "subject": subject,
        "text": text,
        "envelope": envelope,
        "SPF": "pass",
        **more,
    }


@dataclass(frozen=True)
class Maker:
    """How a provider tells about a turn and about a delivery on one channel."""

    turn: Callable[[str, str], Hook]  # text, id
    event: Callable[[str, str, str], Hook]  # word, reference, provider's id


def _text_turn(channel: str) -> Callable[[str, str], Hook]:
    prefix = "whatsapp:" if channel == "whatsapp" else ""

    def make(text: str, identity: str) -> Hook:
        form = {
            "MessageSid": identity,
            "From": prefix + PATIENT[channel],
            "To": prefix + OWN[channel],
            "Body": text,
            "NumMedia": "0",
        }
        return twilio(HookKind.TWILIO_MESSAGES, {**form, "SomethingNew": "value"})

    return make


def _text_event(channel: str) -> Callable[[str, str, str], Hook]:
    prefix = "whatsapp:" if channel == "whatsapp" else ""

    def make(word: str, reference: str, identity: str) -> Hook:
        form = {"MessageSid": identity, "MessageStatus": word, "To": prefix + PATIENT[channel], "From": prefix + OWN[channel]}
        return twilio(HookKind.TWILIO_STATUS, {**form, "RawDlrDoneDate": "2305090900"}, f"?ref={reference}")

    return make


def _mail_turn(text: str, identity: str) -> Hook:
    fields = mail_fields(text)
    return letter({**fields, "headers": fields["headers"].replace("<m1@", f"<{identity}@"), "something_new": "value"})


def _mail_event(word: str, reference: str, identity: str) -> Hook:
    return events(
        [{"event": word, "candour": reference, "sg_message_id": f"{identity}.recvd-1", "email": PATIENT["email"], "new": 1}]
    )


MAKERS = {
    "sms": Maker(_text_turn("sms"), _text_event("sms")),
    "whatsapp": Maker(_text_turn("whatsapp"), _text_event("whatsapp")),
    "email": Maker(_mail_turn, _mail_event),
}
