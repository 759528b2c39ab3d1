"""What `doctor` says of the channels: which are set up, what is missing, and with `--live` what the providers say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sqlalchemy.orm import Session

from bot.base.clock import system_clock
from bot.base.errors import ChannelError
from bot.base.settings import Settings
from bot.channels.registry import channels
from bot.cli import provider
from bot.conversations.post import outbox

Said = tuple[str, bool | None, str]
"""What was looked at, whether it is well (None needs nothing done), and in words."""

NEEDS: Mapping[str, tuple[str, ...]] = {
    "sms": ("twilio_account_sid", "twilio_auth_token", "sms_numbers"),
    "whatsapp": ("twilio_account_sid", "twilio_auth_token", "whatsapp_numbers"),
    "email": ("sendgrid_api_key", "email_addresses", "sendgrid_webhook_key", "inbound_secret"),
}
"""Settings without which a channel does not work both ways."""


def configured(settings: Settings) -> Iterator[Said]:
    """Whether each channel has what it needs."""
    if provider.is_simulated(settings):
        yield "channels", None, "no provider account is set: `./candour up` uses the simulator, and nothing leaves this machine"
        return
    for channel, names in NEEDS.items():
        missing = [name for name in names if not _value(settings, name)]
        if len(missing) == len(names):
            yield f"channel {channel}", None, "not set up"
        elif missing:
            yield f"channel {channel}", False, f"missing: {', '.join(f'CANDOUR_{name.upper()}' for name in missing)}"
        else:
            yield f"channel {channel}", True, f"{len(settings.own_addresses(channel))} own addresses"
    if not settings.hooks.startswith("https:"):
        yield "hooks", False, "providers need an https address to reach us: set CANDOUR_PUBLIC_URL or CANDOUR_HOOKS_URL"


def live(settings: Settings) -> Iterator[Said]:
    """What the providers say of our accounts; asks each once and sends nothing."""
    for name, channel in channels(provider.with_simulator(settings), system_clock).items():
        if any(not _value(provider.with_simulator(settings), need) for need in NEEDS[name][:1]):
            continue
        try:
            yield f"provider of {name}", True, channel.ask()
        except ChannelError as refused:
            yield f"provider of {name}", False, str(refused)


def waiting(session: Session) -> Iterator[Said]:
    """What the outbox holds that somebody should know of."""
    counts = outbox.counts(session)
    unknown, failed = counts.get("unknown", 0), counts.get("failed", 0)
    if counts:
        yield "outbox", None, ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    if unknown:
        yield "unknown parts", None, f"{unknown} may have been sent or not; they are not sent again, look at the provider's log"
    if failed:
        yield "failed parts", None, f"{failed} did not arrive; column `reason` of table outbox says why"


def _value(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)
