"""Twilio over its official library: one account that SMS and WhatsApp share.

The base URL and the time-outs come in through the library's own hook for HTTP clients; signatures are
checked by its RequestValidator over the exact public address. Nothing of a request is logged.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

import requests
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from urllib3.exceptions import NewConnectionError

from bot.base.errors import NotAuthentic, OutcomeUnknown, TemporaryFailure, Unconfigured
from bot.channels.base import DeliveryEvent, Hook, HookKind, Incoming, Kept, Outcome, Sent
from bot.channels.failures import Fate, as_error, failure

API = "https://api.twilio.com"
HOOKS = frozenset({HookKind.TWILIO_MESSAGES, HookKind.TWILIO_STATUS})
FIELDS_MOST = 500
POOL = 32
OVERRIDES = "#rc=3&rp=all"
"""Connection overrides: Twilio tries a callback three times more, whatever went wrong (it signs without them)."""

OUTCOMES = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "sent"), Outcome.SENT),
    **dict.fromkeys(("delivered", "read"), Outcome.DELIVERED),
    **dict.fromkeys(("undelivered", "failed", "canceled"), Outcome.FAILED),
}
"""Twilio's words for a status; others are new to us and change nothing."""


class Form(Mapping[str, str]):
    """A form as Twilio signs it: names to their last value, all values through `getlist`."""

    def __init__(self, body: bytes) -> None:
        self._values: dict[str, list[str]] = {}
        pairs = parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True, max_num_fields=FIELDS_MOST, errors="replace")
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __getitem__(self, name: str) -> str:
        return self._values[name][-1]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def getlist(self, name: str) -> list[str]:
        """Every value of a name, as the validator asks for them."""
        return self._values.get(name, [])


class _Http(TwilioHttpClient):  # type: ignore[misc]
    """The library's client with our base URL and time-outs; it logs nothing, because a request holds a number and a text."""

    def __init__(self, base_url: str, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s)
        self._base = base_url.rstrip("/")
        for scheme in ("https://", "http://"):
            self.session.mount(scheme, HTTPAdapter(pool_connections=4, pool_maxsize=POOL))
        # A proxy of the surroundings is for the provider, not for a simulator on this machine.
        self.session.trust_env = urlsplit(base_url).hostname not in ("127.0.0.1", "localhost", "::1")

    def request(self, method: str, url: str, *arguments: Any, **named: Any) -> Any:
        """One request; the library knows only Twilio's own address."""
        address = self._base + url.removeprefix(API) if url.startswith(API) else url
        return super().request(method, address, *arguments, **named)

    def log_request(self, kwargs: Any) -> None:
        """Say nothing."""

    def log_response(self, status_code: int, response: Any) -> None:
        """Say nothing."""


@dataclass
class Account:
    """An account at Twilio, or an address that answers like one."""

    sid: str
    token: str = field(repr=False)
    hooks_url: str
    base_url: str = API
    timeout_s: float = 15.0

    def __post_init__(self) -> None:
        self._validator = RequestValidator(self.token)
        # With its own environment: the library would read TWILIO_* of ours.
        self._client = (
            Client(self.sid, self.token, http_client=_Http(self.base_url, self.timeout_s), environment={"TWILIO_EDGE": ""})
            if self.sid and self.token
            else None
        )

    def authenticate(self, hook: Hook) -> None:
        """Check the signature; raises NotAuthentic, or Unconfigured without a token."""
        if not self.token:
            raise Unconfigured("no Twilio token is set")
        try:
            form = Form(hook.body)
            is_genuine = self._validator.validate(hook.url, form, hook.headers.get("x-twilio-signature", ""))
        except (ValueError, UnicodeError):
            is_genuine = False
        if not is_genuine or not hook.content_type.lower().startswith("application/x-www-form-urlencoded"):
            raise NotAuthentic("not signed by Twilio")

    def keep(self, hook: Hook) -> Kept:
        """The form, known by its message and, for a callback, its status."""
        form = Form(hook.body)
        sid = form.get("MessageSid") or form.get("SmsSid") or ""
        identity = f"{sid[:40]}"
        if hook.kind is HookKind.TWILIO_STATUS:
            identity += f":{(form.get('MessageStatus') or '')[:20]}:{(form.get('ErrorCode') or '')[:10]}"
        reference = parse_qs(urlsplit(hook.url).query).get("ref", [""])[0][:64]
        return Kept(identity, {"body": base64.b64encode(hook.body).decode(), "reference": reference})

    def create(self, **parameters: Any) -> Sent:
        """Create a message; raises a ChannelError."""
        if self._client is None:
            raise Unconfigured("no Twilio account is set")
        try:
            created = self._client.messages.create(**{name: value for name, value in parameters.items() if value is not None})
        except TwilioRestException as refused:
            raise as_error(_whole(refused.code), _whole(refused.status)) from None
        except requests.exceptions.ConnectionError as failed:
            if isinstance(failed, requests.exceptions.ConnectTimeout) or _never_connected(failed):
                raise TemporaryFailure("Twilio cannot be reached") from None
            raise OutcomeUnknown("the connection to Twilio broke") from None
        except requests.exceptions.RequestException as failed:
            raise OutcomeUnknown("Twilio did not answer in time", code=type(failed).__name__) from None
        except (TwilioException, ValueError, KeyError, TypeError, AttributeError) as failed:
            # An answer that the library cannot read says nothing about whether the text was taken.
            raise OutcomeUnknown("Twilio's answer cannot be read", code=type(failed).__name__) from None
        return Sent(str(created.sid or ""))

    def callback(self, reference: str) -> str | None:
        """Where Twilio reports what became of it; none while Twilio could not reach us."""
        return f"{self.hooks_url}/hooks/twilio/status?ref={reference}{OVERRIDES}" if self.hooks_url else None

    def ask(self) -> str:
        """The account's status in Twilio's words, for `doctor --live`; raises a ChannelError."""
        if self._client is None:
            raise Unconfigured("no Twilio account is set")
        try:
            return f"account {self._client.api.v2010.accounts(self.sid).fetch().status}"
        except TwilioRestException as refused:
            raise as_error(_whole(refused.code), _whole(refused.status)) from None
        except requests.exceptions.RequestException as failed:
            raise TemporaryFailure("Twilio cannot be reached", code=type(failed).__name__) from None


def form_of(content: Mapping[str, str]) -> Form:
    """The form of a kept hook; an unreadable one is empty."""
    try:
        return Form(base64.b64decode(content.get("body", ""), validate=True))
    except (binascii.Error, ValueError):
        return Form(b"")


def incoming(channel: str, content: Mapping[str, str], prefix: str) -> list[Incoming]:
    """The turn in a kept form when both its addresses are of this channel (`prefix` before the number)."""
    form = form_of(content)
    sid, own, their = form.get("MessageSid") or form.get("SmsSid"), form.get("To", ""), form.get("From", "")
    if not sid or _kind(own) != prefix or _kind(their) != prefix or len(their) > 80 or len(own) > 80:
        return []
    return [
        Incoming(
            channel=channel,
            own=own.removeprefix(prefix),
            their=their.removeprefix(prefix),
            external_id=sid[:80],
            text=form.get("Body", "").replace("\0", ""),
            attached=_attached(form),
            keyword=form.get("OptOutType", "").upper(),
        )
    ]


def events(content: Mapping[str, str], prefix: str) -> list[DeliveryEvent]:
    """The delivery event in a kept status callback of this channel; a status we do not know is none."""
    form = form_of(content)
    sid, outcome = form.get("MessageSid") or form.get("SmsSid"), OUTCOMES.get(form.get("MessageStatus", "").lower())
    if not sid or outcome is None or _kind(form.get("To", "")) != prefix:
        return []
    code = _whole(form.get("ErrorCode", ""))
    found = failure(code) if outcome is Outcome.FAILED else None
    return [
        DeliveryEvent(
            reference=content.get("reference", ""),
            provider_id=sid[:80],
            outcome=outcome,
            code=str(code) if code else "",
            reason=found.reason if found else "",
            opts_out=found is not None and found.fate is Fate.OPTED_OUT,
        )
    ]


def _kind(address: str) -> str:
    return address.partition(":")[0] + ":" if ":" in address else ""


def _attached(form: Form) -> str:
    """What came besides the text: the kind of the first medium, or the kind of the whole message."""
    if (form.get("NumMedia") or "0") not in ("0", ""):
        return (form.get("MediaContentType0") or "file").partition("/")[0][:20].lower() or "file"
    if form.get("Latitude"):
        return "location"
    kind = (form.get("MessageType") or "text").lower()
    return "" if kind in ("text", "button", "interactive", "reaction") else kind[:20]


def _whole(value: object) -> int:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 0


def _never_connected(failed: requests.exceptions.ConnectionError) -> bool:
    cause = failed.args[0] if failed.args else None
    return isinstance(getattr(cause, "reason", cause), NewConnectionError)
