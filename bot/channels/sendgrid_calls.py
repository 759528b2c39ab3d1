"""Calls to SendGrid through its official library, apart from the rest: only whoever sends loads it."""

from __future__ import annotations

import json
import logging
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from python_http_client.client import Client as RestClient
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from bot.base.errors import AccountFailure, ChannelError, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bot.channels.base import Sent, Suppressed

API = "https://api.sendgrid.com"
PAGE = 500
"""Entries of a suppression list in one answer: the most SendGrid gives."""
LONGEST_S = 3600.0
"""No header makes us wait longer."""

# At DEBUG the library would write addresses, texts and our key.
logging.getLogger("python_http_client").setLevel(logging.WARNING)


class _Client(RestClient):  # type: ignore[misc]
    """The library's HTTP client, which keeps its time-out through every step of an address and knows a simulator next door."""

    def _build_client(self, name: str | None = None) -> _Client:
        return _Client(
            host=self.host,
            version=self._version,
            request_headers=dict(self.request_headers),
            url_path=[*self._url_path, name] if name else self._url_path,
            timeout=self.timeout,
        )

    def _make_request(self, opener: Any, request: Any, timeout: float | None = None) -> Any:
        if urlsplit(self.host).hostname in ("127.0.0.1", "localhost", "::1"):
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        return super()._make_request(opener, request, timeout)


class Calls:
    """A key that calls; raises ChannelErrors only."""

    def __init__(self, api_key: str, base_url: str, timeout_s: float) -> None:
        host = base_url or API
        headers = SendGridAPIClient(api_key, host=host)._default_headers
        self._client = _Client(host=host, request_headers=headers, version=3, timeout=timeout_s)

    def send(self, mail: dict[str, Any]) -> Sent:
        """Send one e-mail; raises a ChannelError."""
        answer = self._call(lambda client: client.mail.send.post(request_body=mail))
        return Sent(str(answer.headers.get("X-Message-Id") or ""))

    def scopes(self) -> str:
        """What the key may do, as SendGrid lists it; raises a ChannelError."""
        return str(self._call(lambda client: client.scopes.get()).body)

    def suppressed(self, name: str, since: int, skip: int) -> list[Suppressed]:
        """A page of a suppression list, the newest first; raises a ChannelError. Docs: Suppressions."""
        query = {"start_time": since, "limit": PAGE, "offset": skip}
        answer = self._call(lambda client: getattr(client.suppression, name).get(query_params=query))
        return [_suppressed(one) for one in _listed(answer)]

    def unsubscribed(self) -> Iterator[tuple[int, list[str]]]:
        """The members of each unsubscribe group; raises a ChannelError. Docs: Unsubscribe Groups, Group Suppressions."""
        for group in _listed(self._call(lambda client: client.asm.groups.get())):
            number = group.get("id") if isinstance(group, dict) else None
            if not isinstance(number, int):
                continue
            yield number, [one for one in _listed(self._members(number)) if isinstance(one, str)]

    def _members(self, group: int) -> Any:
        return self._call(lambda client: client.asm.groups._(group).suppressions.get())

    def _call(self, call: Callable[[Any], Any]) -> Any:
        try:
            return call(self._client)
        except HTTPError as refused:
            raise _as_error(int(refused.status_code), _reset(refused.headers)) from None
        except urllib.error.URLError as failed:
            if isinstance(failed.reason, ConnectionRefusedError) or type(failed.reason).__name__ == "gaierror":
                raise TemporaryFailure("SendGrid cannot be reached") from None
            raise OutcomeUnknown("the connection to SendGrid broke", code=type(failed.reason).__name__) from None
        except (OSError, ValueError) as failed:
            raise OutcomeUnknown("SendGrid did not answer in time", code=type(failed).__name__) from None


def _suppressed(one: Any) -> Suppressed:
    """One entry; what cannot be read has no address and still counts for its page."""
    if not isinstance(one, dict):
        return Suppressed("", 0)
    created = one.get("created")
    return Suppressed(str(one.get("email") or ""), created if isinstance(created, int) else 0, str(one.get("status") or "")[:20])


def _listed(answer: Any) -> list[Any]:
    try:
        found = json.loads(answer.body)
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise TemporaryFailure("SendGrid's answer cannot be read")
    return found


def _reset(headers: Any) -> float:
    """Seconds until SendGrid takes requests again, as its headers say; 0 when they do not."""
    told = str((headers or {}).get("X-RateLimit-Reset") or "")
    return max(0.0, min(float(told) - time.time(), LONGEST_S)) if told.isascii() and told.isdecimal() else 0.0


def _as_error(status: int, wait_s: float) -> ChannelError:
    code = str(status)
    if status == 429:
        return TemporaryFailure("SendGrid asks us to slow down", code=code, retry_after_s=wait_s, is_limit=True)
    if status in (401, 403):
        return AccountFailure("SendGrid does not accept our key or sender", code=code)
    if status >= 500:
        return OutcomeUnknown("SendGrid failed", code=code)
    return PermanentFailure("SendGrid refused the e-mail", code=code)
