"""The one list of the channels over providers, made from the settings."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from bot.base.clock import Clock
from bot.base.settings import Settings
from bot.channels import twilio
from bot.channels.base import Channel
from bot.channels.email import Email
from bot.channels.sms import Sms
from bot.channels.whatsapp import WhatsApp


def channels(settings: Settings, clock: Clock) -> Mapping[str, Channel]:
    """Every channel over a provider, by its name; one without an account says so when it is used."""
    account = twilio.Account(
        sid=settings.twilio_account_sid,
        token=settings.twilio_auth_token.get_secret_value(),
        hooks_url=settings.hooks,
        base_url=settings.twilio_url,
        timeout_s=settings.provider_timeout_s,
    )
    mail = Email(
        api_key=settings.sendgrid_api_key.get_secret_value(),
        webhook_key=settings.sendgrid_webhook_key,
        inbound_secret=settings.inbound_secret.get_secret_value(),
        own=settings.own_addresses("email"),
        sender_name=settings.email_name,
        timeout_s=settings.provider_timeout_s,
        base_url=settings.sendgrid_url,
    )
    listed: tuple[Channel, ...] = (Sms(account), WhatsApp(account, clock), mail)
    return MappingProxyType({channel.name: channel for channel in listed})
