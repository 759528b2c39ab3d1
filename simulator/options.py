"""How the simulator was started: command line, environment, and the secrets it made for itself."""

from __future__ import annotations

import argparse
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from simulator import faults
from simulator.configuration import Configuration, merged

ENVIRONMENT = {
    "SIMULATOR_SENDGRID_API_KEY": "sendgrid_api_key",
    "SIMULATOR_TWILIO_ACCOUNT_SID": "twilio_account_sid",
    "SIMULATOR_TWILIO_AUTH_TOKEN": "twilio_auth_token",
    "SIMULATOR_TWILIO_KEY_SID": "twilio_key_sid",
    "SIMULATOR_TWILIO_KEY_SECRET": "twilio_key_secret",
    "SIMULATOR_SIGNING_KEY": "signing_key",
    "SIMULATOR_CONTROL_TOKEN": "control_token",
}
ADDRESSES = {
    "SIMULATOR_SENDGRID_EVENT_URL": ("sendgrid", "event_url"),
    "SIMULATOR_SENDGRID_PARSE_URL": ("sendgrid", "parse_url"),
    "SIMULATOR_SENDGRID_INBOX": ("sendgrid", "inbox"),
    "SIMULATOR_TWILIO_INBOUND_URL": ("twilio", "inbound_url"),
}


def _signing_key() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()


@dataclass(frozen=True)
class Credentials:
    """The secrets of the two simulated accounts, and of the simulator itself (empty: its own page is open on the loopback)."""

    sendgrid_api_key: str = field(
        default_factory=lambda: f"SG.{secrets.token_urlsafe(16)}.{secrets.token_urlsafe(32)}", repr=False
    )
    twilio_account_sid: str = field(default_factory=lambda: f"AC{secrets.token_hex(16)}")
    twilio_auth_token: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    twilio_key_sid: str = field(default_factory=lambda: f"SK{secrets.token_hex(16)}")
    twilio_key_secret: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)
    signing_key: str = field(default_factory=_signing_key, repr=False)
    control_token: str = field(default="", repr=False)


@dataclass(frozen=True)
class Options:
    """Everything the simulator was started with."""

    port: int = 8100
    data: Path | None = None
    seed: int = 0
    rates: Mapping[str, float] = field(default_factory=dict)
    speed: float = 1.0
    credentials: Credentials = field(default_factory=Credentials)
    configuration: Configuration | None = None
    addresses: Mapping[str, str] = field(default_factory=dict)
    keep: int = 1_000_000


def read(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Options:
    """The options out of command line and environment; ends the program with a sentence when they are wrong."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        rates = faults.parse(given.faults)
        configuration = None
        if given.configuration:
            configuration = merged(Configuration(), json.loads(given.configuration.read_text(encoding="utf-8")))
        credentials = load_credentials(given.data, environment)
        addresses = {name: environment[name] for name in ADDRESSES if environment.get(name)}
        with_addresses(configuration or Configuration(), addresses)
    except (ValueError, OSError) as wrong:
        parser.error(str(wrong))
    return Options(
        port=given.port,
        data=given.data,
        seed=given.seed,
        rates=rates,
        speed=given.speed,
        credentials=credentials,
        configuration=configuration,
        addresses=addresses,
        keep=given.keep,
    )


def with_addresses(configuration: Configuration, addresses: Mapping[str, str]) -> Configuration:
    """The configuration with the webhook addresses of the environment laid over it; raises ValueError."""
    for name, url in addresses.items():
        provider, key = ADDRESSES[name]
        configuration = merged(configuration, {provider: {key: url}})
    return configuration


def load_credentials(folder: Path | None, environment: Mapping[str, str]) -> Credentials:
    """The environment's secrets, else those kept in the folder, else new ones (kept when there is a folder)."""
    path = folder / "credentials.json" if folder else None
    kept: dict[str, str] = {}
    if path and path.exists():
        names = {one.name for one in fields(Credentials)}
        kept = {name: str(value) for name, value in json.loads(path.read_text(encoding="utf-8")).items() if name in names}
    given = {name: environment[key] for key, name in ENVIRONMENT.items() if environment.get(key)}
    found = Credentials(**{**kept, **given})
    if path and asdict(found) != kept:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            json.dump(asdict(found), out, indent=1)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m simulator", description="Simulate SendGrid and Twilio on the loopback.")
    parser.add_argument("--port", type=_number(1, 65_535), default=8100, help="port on 127.0.0.1 (8100)")
    parser.add_argument("--data", type=Path, help="folder that keeps everything over a restart; without it nothing is kept")
    parser.add_argument("--seed", type=int, default=0, help="decides whom faults meet (0)")
    parser.add_argument("--faults", default="", metavar="FILE|name=rate,…", help=f"faults: {', '.join(faults.ALL)}")
    parser.add_argument("--speed", type=_speed, default=1.0, help="simulated seconds in a real second (1)")
    parser.add_argument("--configuration", type=Path, help="JSON file laid over the configuration")
    parser.add_argument("--keep", type=_number(1_000, 100_000_000), default=1_000_000, help="rows kept of each kind (1000000)")
    return parser


def _number(least: int, most: int) -> type[int]:
    def convert(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"must be between {least} and {most}")
        return value

    return convert  # type: ignore[return-value]


def _speed(text: str) -> float:
    value = float(text)
    if not 0.001 <= value <= 100_000:
        raise argparse.ArgumentTypeError("must be between 0.001 and 100000")
    return value
