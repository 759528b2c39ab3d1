"""Calls to Twilio through its official library, apart from the rest because the library takes 25 MB.

Whoever only checks what Twilio posts, as the web process does, never loads it.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client
from urllib3.exceptions import NewConnectionError

from bot.base.errors import OutcomeUnknown, TemporaryFailure
from bot.channels.base import Sent
from bot.channels.failures import as_error

API = "https://api.twilio.com"
POOL = 96
"""Connections kept open: as many as there may be calls at a time, of notices and of answers."""


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
        """One request; the library knows only Twilio's own addresses."""
        parts = urlsplit(url)
        is_twilios = (parts.hostname or "").endswith(".twilio.com") and self._base != API
        address = self._base + url.removeprefix(f"{parts.scheme}://{parts.netloc}") if is_twilios else url
        return super().request(method, address, *arguments, **named)

    def log_request(self, kwargs: Any) -> None:
        """Say nothing."""

    def log_response(self, status_code: int, response: Any) -> None:
        """Say nothing."""


class Calls:
    """An account that calls; raises ChannelErrors only."""

    def __init__(self, sid: str, token: str, base_url: str, timeout_s: float) -> None:
        self._sid = sid
        # With its own environment: the library would read TWILIO_* of ours.
        http = _Http(base_url or API, timeout_s)
        self._client = Client(sid, token, http_client=http, environment={"TWILIO_EDGE": ""})

    def create(self, parameters: dict[str, Any]) -> Sent:
        """Create a message; raises a ChannelError."""
        try:
            created = self._client.messages.create(**parameters)
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

    def account(self) -> str:
        """The account's status in Twilio's words; raises a ChannelError."""
        return str(self._asked(lambda: self._client.api.v2010.accounts(self._sid).fetch().status))

    def approval(self, content_id: str) -> str:
        """How far WhatsApp's approval of a template is, in Twilio's words; raises a ChannelError."""
        found = self._asked(lambda: self._client.content.v1.contents(content_id).approval_fetch().fetch().whatsapp)
        return str((found or {}).get("status") or "unsubmitted")

    def _asked(self, ask: Any) -> Any:
        try:
            return ask()
        except TwilioRestException as refused:
            raise as_error(_whole(refused.code), _whole(refused.status)) from None
        except requests.exceptions.RequestException as failed:
            raise TemporaryFailure("Twilio cannot be reached", code=type(failed).__name__) from None
        except (TwilioException, ValueError, KeyError, TypeError, AttributeError) as failed:
            raise OutcomeUnknown("Twilio's answer cannot be read", code=type(failed).__name__) from None


def _whole(value: object) -> int:
    text = str(value or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 0


def _never_connected(failed: requests.exceptions.ConnectionError) -> bool:
    cause = failed.args[0] if failed.args else None
    return isinstance(getattr(cause, "reason", cause), NewConnectionError)
