"""What the patient's endpoints share: the tools of this process, the cookie, and who is asking.

The cookie is a random token made here; the database knows only its keyed hash. Holding the cookie is
all that gives access to a thread: no number, id or address does.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import Request, Response
from sqlalchemy.orm import Session

from bot.assembly import Application
from bot.base.errors import NotAuthentic, Tampered
from bot.base.languages import Language
from bot.conversations import threads
from bot.conversations.models import Thread
from bot.conversations.speaking.publication import Published
from bot.conversations.transcript import lines_after
from bot.web.answering import Answering
from bot.web.limits import Limiter
from bot.web.shield import LOOPBACK, embed_origins
from bot.web.stream import PAGE, Hub, Look, log

CHANNEL = "web"
TOKEN_BYTES = 32
COOKIE_DAYS = 30
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Door:
    """The tools of this web process."""

    application: Application
    limiter: Limiter
    hub: Hub
    answering: Answering

    @property
    def is_https(self) -> bool:
        """Whether patients reach us over HTTPS, so that the cookie may insist on it."""
        return self.application.settings.public_url.startswith("https:")

    @property
    def cookie(self) -> str:
        """The cookie's name; the prefix makes browsers refuse one that another host or path has set."""
        return "__Host-candour" if self.is_https else "candour"

    def may_be_apart(self, request: Request) -> bool:
        """Whether a frame in another site's page may have a cookie: pages may embed us, and the cookie may be `Secure`."""
        is_secure = self.is_https or request.url.hostname in LOOPBACK
        return is_secure and bool(embed_origins(self.application.settings))

    def give_cookie(self, response: Response, *, is_apart: bool = False) -> str:
        """Make a new token, put it into the answer's cookie and return its index.

        A cookie that is kept apart lives in the browser's partition of one embedding site (docs/decisions/0014-embedding.md).
        """
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._set_cookie(response, token, COOKIE_DAYS * 86400, is_apart=is_apart)
        return self.application.index.index(CHANNEL, token)

    def take_cookie(self, request: Request, response: Response, thread: Thread) -> None:
        """Have the browser forget its cookie, and the cookie forget the thread, wherever else it may have been kept."""
        thread.address_index = self.application.index.index(CHANNEL, secrets.token_urlsafe(TOKEN_BYTES))
        for is_apart in (False, True)[: 1 + self.may_be_apart(request)]:
            self._set_cookie(response, "", 0, is_apart=is_apart)

    def _set_cookie(self, response: Response, token: str, max_age: int, *, is_apart: bool) -> None:
        response.set_cookie(
            self.cookie,
            token,
            max_age=max_age,
            path="/",
            secure=self.is_https or is_apart,
            httponly=True,
            samesite="none" if is_apart else "lax",
        )
        if is_apart:
            # Python knows this attribute from 3.14 on.
            name, value = response.raw_headers[-1]
            response.raw_headers[-1] = (name, value + b"; Partitioned")

    def indexes(self, request: Request) -> list[str]:
        """Under what the caller's thread may be kept; empty without a cookie of ours."""
        token = request.cookies.get(self.cookie, "")
        return self.application.index.every(CHANNEL, token) if _TOKEN.fullmatch(token) else []

    def thread(self, session: Session, request: Request) -> Thread | None:
        """The caller's thread, if there is one; from then on refusals are in its language."""
        indexes = self.indexes(request)
        thread = threads.find_thread(session, indexes) if indexes else None
        if thread is not None:
            request.state.language = Language(thread.language)
        return thread

    def thread_or_refuse(self, session: Session, request: Request) -> Thread:
        """The caller's thread; raises NotAuthentic, the same way for a missing, forged or forgotten cookie."""
        thread = self.thread(session, request)
        if thread is None:
            raise NotAuthentic("no thread for this caller")
        return thread

    def published(self, session: Session) -> Published:
        """What may be said now; raises NotPublished."""
        return self.application.library.current(session, self.application.clock())

    def look(self, known: Mapping[int, int]) -> Mapping[int, Look]:
        """Owner and new lines of the threads, each after the number known of it; for the hub."""
        looks = {}
        with self.application.database.reading() as session:
            for thread_id, (number, owner) in threads.heads(session, list(known)).items():
                lines = []
                try:
                    if number > known[thread_id]:
                        lines = lines_after(session, self.application.vault, thread_id, known[thread_id], PAGE)
                except Tampered:  # must not silence the other threads
                    log.error("thread %d has a line that does not open", thread_id)
                looks[thread_id] = Look(owner, lines)
        return looks


def door_of(request: Request) -> Door:
    """The door of the application that serves this request."""
    door: Door = request.app.state.door
    return door
