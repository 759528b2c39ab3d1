"""The provider simulator as Candour's provider, for an installation that has no account anywhere.

Its two simulated accounts have secrets of their own, made once and kept in `<home>/simulator`; they open
nothing but the simulator.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import sys
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from pydantic import SecretStr

from bot.base.settings import REPOSITORY, Settings

ADDRESSES = ("sms_numbers", "whatsapp_numbers", "whatsapp_templates", "email_addresses")
FOLDER = REPOSITORY / "simulator"
HEALTH = "/simulator/health"
SMS = "+85264500001,+85264500002"
WHATSAPP = "+85264500003"
EMAIL = "care@clinic.example"
TEMPLATES = ",".join(f"{language}=HX{place:032}" for place, language in enumerate(("en", "zh-Hant", "zh-Hans"), start=1))
"""Approved WhatsApp texts that the simulated account owns."""


def is_simulated(settings: Settings) -> bool:
    """Whether the simulator stands in: wanted, there, and no account of a real provider set."""
    has_account = bool(settings.twilio_account_sid or settings.sendgrid_api_key.get_secret_value())
    return settings.simulator and FOLDER.is_dir() and not has_account


def with_simulator(settings: Settings) -> Settings:
    """The settings under which everything talks to the simulator; unchanged when there are real accounts."""
    if not is_simulated(settings):
        return settings
    known = _credentials(folder(settings))
    address = f"http://127.0.0.1:{settings.simulator_port}"
    changed = {
        "twilio_url": address,
        "twilio_account_sid": known["twilio_account_sid"],
        "twilio_auth_token": SecretStr(known["twilio_auth_token"]),
        "sendgrid_url": address,
        "sendgrid_api_key": SecretStr(known["sendgrid_api_key"]),
        "sendgrid_webhook_key": _public(known["signing_key"]),
        "inbound_secret": SecretStr(known["inbound_secret"]),
        "sms_numbers": settings.sms_numbers or SMS,
        "whatsapp_numbers": settings.whatsapp_numbers or WHATSAPP,
        "whatsapp_templates": settings.whatsapp_templates or TEMPLATES,
        "email_addresses": settings.email_addresses or EMAIL,
        # The simulator calls the web process itself: nobody outside has to be able to.
        "hooks_url": f"http://127.0.0.1:{settings.web_port}",
    }
    return settings.model_copy(update=changed)


def told(settings: Settings) -> dict[str, str]:
    """The provider's settings as the environment of our own processes."""
    names = ("twilio_url", "twilio_account_sid", "sendgrid_url", "sendgrid_webhook_key", "hooks_url")
    own = {name: str(getattr(settings, name)) for name in (*names, *ADDRESSES)}
    kept = {
        name: getattr(settings, name).get_secret_value() for name in ("twilio_auth_token", "sendgrid_api_key", "inbound_secret")
    }
    return {f"CANDOUR_{name.upper()}": value for name, value in {**own, **kept}.items() if value}


def command(settings: Settings) -> list[str]:
    """How the simulator is started."""
    return [sys.executable, "-m", "simulator", "--port", str(settings.simulator_port), "--data", str(folder(settings))]


def addresses(settings: Settings) -> dict[str, str]:
    """Where the simulator posts to, as its environment."""
    return {
        "SIMULATOR_TWILIO_INBOUND_URL": f"{settings.hooks}/hooks/twilio/messages",
        "SIMULATOR_SENDGRID_EVENT_URL": f"{settings.hooks}/hooks/sendgrid/events",
        "SIMULATOR_SENDGRID_PARSE_URL": f"{settings.hooks}/hooks/sendgrid/inbound/{settings.inbound_secret.get_secret_value()}",
        "SIMULATOR_SENDGRID_INBOX": (settings.own_addresses("email") or ("",))[0],
    }


def folder(settings: Settings) -> Path:
    """What the simulator keeps."""
    return settings.home / "simulator"


def _credentials(place: Path) -> dict[str, str]:
    path = place / "credentials.json"
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    known = {**_new(), **kept}
    # Beside it, because the simulator writes its own file anew with what it knows.
    secret = place / "inbound-secret"
    known["inbound_secret"] = secret.read_text(encoding="ascii").strip() if secret.exists() else secrets.token_urlsafe(24)
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not secret.exists():
        _write(secret, known["inbound_secret"])
    if not path.exists():
        _write(path, json.dumps({name: value for name, value in known.items() if name != "inbound_secret"}, indent=1))
    return known


def _new() -> dict[str, str]:
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    return {
        "sendgrid_api_key": f"SG.{secrets.token_urlsafe(16)}.{secrets.token_urlsafe(32)}",
        "twilio_account_sid": f"AC{secrets.token_hex(16)}",
        "twilio_auth_token": secrets.token_hex(16),
        "signing_key": key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode(),
    }


def _public(signing_key: str) -> str:
    key = serialization.load_pem_private_key(signing_key.encode(), None)
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return base64.b64encode(key.public_key().public_bytes(serialization.Encoding.DER, form)).decode()


def _write(path: Path, text: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(file, "w", encoding="utf-8") as out:
        out.write(text)
