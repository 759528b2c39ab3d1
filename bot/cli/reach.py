"""What `doctor` says of the channels: which are set up, what is missing, and with `--live` what the providers say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.base.clock import system_clock
from bot.base.errors import ChannelError
from bot.base.settings import Settings
from bot.channels.registry import channels
from bot.channels.whatsapp import WhatsApp
from bot.cli import provider
from bot.conversations.post import hooks, outbox

Said = tuple[str, bool | None, str]
"""What was looked at, whether it is well (None needs nothing done), and in words."""

NEEDS: Mapping[str, tuple[str, ...]] = {
    "sms": ("twilio_account_sid", "twilio_auth_token", "sms_numbers"),
    "whatsapp": ("twilio_account_sid", "twilio_auth_token", "whatsapp_numbers"),
    "email": ("sendgrid_api_key", "email_addresses", "sendgrid_webhook_key", "inbound_secret"),
}
"""Settings without which a channel does not work both ways."""
HOOKS: Mapping[str, str] = {
    "held": "too many came at once; they are read as there is room",
    "ignored": "not answered in seven days, because no person wrote them or nothing of ours was in them",
    "broken": "could not be read",
    "stored": "wait to be read; is the worker running?",
}
"""What providers posted and was not simply applied, in words."""


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
    if settings.whatsapp_numbers:
        yield _templates(settings)
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
            continue
        if isinstance(channel, WhatsApp):
            yield from _approvals(channel, provider.with_simulator(settings))


def _approvals(channel: WhatsApp, settings: Settings) -> Iterator[Said]:
    for language, content_id in sorted(settings.templates.items()):
        try:
            state = channel.approval(content_id)
        except ChannelError as refused:
            state = str(refused)
        yield f"WhatsApp template {language}", state == "approved", state


def waiting(session: Session, now: datetime) -> Iterator[Said]:
    """What the post holds that somebody should know of."""
    counts = outbox.counts(session)
    unknown, failed = counts.get("unknown", 0), counts.get("failed", 0)
    if counts:
        yield "outbox", None, ", ".join(f"{number} {status}" for status, number in sorted(counts.items()))
    if unknown:
        yield "unknown parts", None, f"{unknown} may have been sent or not; not sent again, each becomes a case after 15 minutes"
    if failed:
        yield "failed parts", None, f"{failed} did not arrive and became cases; column `reason` of table outbox says why"
    found = hooks.counts(session, now - timedelta(days=7))
    for status, words in HOOKS.items():
        of = {remark: number for (kind, remark), number in found.items() if kind == status and (kind != "stored" or number > 50)}
        if of:
            reasons = ", ".join(f"{number} {remark}".strip() for remark, number in sorted(of.items()))
            yield f"{status} hooks", False if status == "broken" else None, f"{words}: {reasons}"


def _templates(settings: Settings) -> Said:
    if not settings.templates:
        return (
            "WhatsApp templates",
            False,
            "none: an answer after 24 hours of silence goes to a person; set CANDOUR_WHATSAPP_TEMPLATES",
        )
    spoken = (("en",), ("zh-Hant", "zh-Hans"))
    missing = [one[0] for one in spoken if not set(one) & set(settings.templates)]
    words = f"for {', '.join(sorted(settings.templates))}" + (f"; none for {', '.join(missing)}" if missing else "")
    return "WhatsApp templates", None if missing else True, words


def _value(settings: Settings, name: str) -> str:
    value = getattr(settings, name)
    return str(value.get_secret_value() if hasattr(value, "get_secret_value") else value)
