"""What the simulated accounts own and how they are set: senders, services, webhooks, limits. Changed through the control API."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from simulator import faults


def _url(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname):
        raise ValueError("must be empty or an http(s) address")
    _ = parts.port
    return text


Url = Annotated[str, Field(max_length=2_000), AfterValidator(_url)]
Kind = Literal["long_code", "short_code", "alphanumeric", "whatsapp"]


def _fate(value: str | int) -> str | int:
    if isinstance(value, str) and value not in faults.ALL:
        raise ValueError("must be the name of a fault or an error code")
    return value


Fated = Annotated[str | int, AfterValidator(_fate)]


class Model(BaseModel):
    """Refuses names it does not know."""

    model_config = ConfigDict(extra="forbid")


class Sender(Model):
    """A number, sender id or WhatsApp sender the Twilio account owns."""

    number: str = Field(max_length=40, description="`+852…`, a short code, an alphanumeric id, or `whatsapp:+852…`")
    kind: Kind = "long_code"
    mps: float = Field(10.0, gt=0, le=10_000, description="segments a second (Twilio gives a long code 1)")
    inbound_url: Url = ""
    fallback_url: Url = ""
    status_callback: Url = ""

    @property
    def is_two_way(self) -> bool:
        """Alphanumeric senders cannot be answered (Twilio docs: Alphanumeric Sender ID)."""
        return self.kind != "alphanumeric"


class OptOutWords(Model):
    """Advanced Opt-Out of a Messaging Service (Twilio docs: Messaging Services, Advanced Opt-Out)."""

    stop: list[str] = []
    start: list[str] = []
    help: list[str] = []
    stop_reply: str = "You have successfully been unsubscribed."
    start_reply: str = "You have successfully been re-subscribed."
    help_reply: str = "Reply STOP to unsubscribe."


class Service(Model):
    """A Messaging Service: a pool of senders under one SID."""

    sid: str = Field(pattern=r"^MG[0-9a-f]{32}$")
    name: str = "notices"
    senders: list[str] = []
    inbound_url: Url = ""
    status_callback: Url = ""
    advanced_opt_out: OptOutWords | None = None


class Template(Model):
    """A WhatsApp template the account has had from the start (docs: Content API)."""

    sid: str = Field(pattern=r"^HX[0-9a-fA-F]{32}$")
    language: str = Field("en", max_length=20)
    body: str = Field(min_length=1, max_length=1_024)
    approval: Literal["unsubmitted", "received", "pending", "approved", "rejected", "paused", "disabled"] = "approved"


class Twilio(Model):
    """The Twilio account."""

    senders: list[Sender] = [
        Sender(number="+85264500001"),
        Sender(number="+85264500002"),
        Sender(number="#Candour", kind="alphanumeric", mps=100),
        Sender(number="whatsapp:+85264500003", kind="whatsapp", mps=80),
    ]
    services: list[Service] = [
        Service(sid="MG" + "0" * 31 + "1", senders=["+85264500001", "+85264500002"]),
    ]
    templates: list[Template] = [
        Template(sid="HX" + "0" * 31 + "1", body="You wrote to us, and we have an answer. Reply to this message and we send it."),
        Template(
            sid="HX" + "0" * 31 + "2", language="zh_HK", body="你早前向我們查詢，我們已有回覆。請回覆此訊息，我們便會傳送給你。"
        ),
        Template(
            sid="HX" + "0" * 31 + "3", language="zh_CN", body="您之前向我们提问，我们已有答复。请回复这条信息，我们就发给您。"
        ),
    ]
    inbound_url: Url = Field("", description="for senders without an address of their own")
    regions: list[str] = Field(["+852", "+853", "+86", "+1", "+44", "+62", "+63"], description="permitted prefixes (else 21408)")
    landlines: list[str] = Field(["+8522", "+8523"], description="prefixes of landlines (21614)")
    concurrency: int = Field(100, ge=1, description="API requests at a time (else 429, 20429)")
    trial: bool = False
    verified: list[str] = Field([], description="numbers a trial account may write to (else 21608)")
    whatsapp_window_s: float = Field(24 * 3_600, gt=0)

    def sender(self, number: str) -> Sender | None:
        """The owned sender of this name."""
        return next((sender for sender in self.senders if sender.number.lower() == number.lower()), None)

    def service(self, sid: str) -> Service | None:
        """The service of this SID."""
        return next((service for service in self.services if service.sid == sid), None)

    def service_of(self, number: str) -> Service | None:
        """The service whose pool holds this sender."""
        return next((service for service in self.services if number in service.senders), None)


class SendGrid(Model):
    """The SendGrid account."""

    event_url: Url = ""
    event_signed: bool = True
    parse_url: Url = ""
    parse_signed: bool = Field(True, description="sign Inbound Parse too (docs: Securing your Inbound Parse Webhooks)")
    parse_is_raw: bool = False
    inbox: str = Field("help@parse.example.test", max_length=254, description="whom the page suggests to write to")
    verified_domains: list[str] = Field(["*"], description="domains `from` may have (else 403); * for any")
    open_tracking: bool = True
    click_tracking: bool = True
    mail_send_per_second: int = Field(10_000, ge=1)
    other_per_minute: int = Field(6_000, ge=1)
    batch_wait_s: float = Field(0.5, ge=0, le=60, description="simulated seconds events are gathered for one post")


class Configuration(Model):
    """Everything that is set."""

    twilio: Twilio = Twilio()
    sendgrid: SendGrid = SendGrid()
    fates: dict[str, Fated] = Field({}, description="what always happens to a number or address: a fault's name or Twilio's code")


def merged(old: Configuration, change: dict[str, Any]) -> Configuration:
    """The configuration with a change laid over it; lists are replaced; raises pydantic's ValidationError."""
    return Configuration.model_validate(_over(old.model_dump(), change))


def _over(old: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    result = dict(old)
    for name, value in change.items():
        before = result.get(name)
        result[name] = _over(before, value) if isinstance(before, dict) and isinstance(value, dict) else value
    return result


def plain(number: str) -> str:
    """A number without its channel: `whatsapp:+852…` becomes `+852…`."""
    return re.sub(r"^[a-z]+:", "", number)
