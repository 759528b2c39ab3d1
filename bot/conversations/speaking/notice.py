"""The notice: what a patient reads first, put together from approved wordings, and its earlier versions.

A version is the notice of one publication, from the moment that publication took effect until the next one
that changed a word of the notice. Publications that changed something else make no version.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.errors import NotPublished
from bot.base.languages import Language
from bot.conversations.speaking import wording
from bot.conversations.speaking.publication import Library, Publication, PublicationStatus, Published

HEADING = "notice_heading"
OPENING = "notice_opening"
PARTS = ("notice_known", "notice_open", "notice_data", "notice_steps", "notice_reach", "notice_genuine")
"""The parts in the order in which they are read."""

_COMPARED = (Language.EN, Language.ZH_HANT, Language.ZH_HANS)
"""In these every wording exists; the other languages never change without one of them."""


@dataclass(frozen=True)
class Notice:
    """The notice of one publication in one language: plain texts by the name of their wording."""

    publication_id: int
    heading: str
    opening: str
    parts: dict[str, str]


@dataclass(frozen=True)
class Version:
    """One state of the notice: the first publication that said it, since when, and until when (UTC)."""

    publication_id: int
    since: datetime
    until: datetime | None = None  # None: it is in force


def notice(published: Published, language: Language, channel: str) -> Notice:
    """The notice of a publication; raises NotPublished when a wording of it is missing."""

    def said(name: str) -> str:
        return wording.render(published.content, name, language, channel, {}).text

    return Notice(published.id, said(HEADING), said(OPENING), {name: said(name) for name in PARTS})


class Archive:
    """Which publications changed the notice; remembers what each content says, since contents never change."""

    def __init__(self, library: Library, channel: str) -> None:
        self._library = library
        self._channel = channel
        self._prints: dict[int, str] = {}

    def versions(self, session: Session, at: datetime) -> list[Version]:
        """Every version said until a moment, newest first; empty when no publication holds a notice."""
        rows = session.execute(
            select(Publication.id, Publication.effective_at)
            .where(Publication.status == PublicationStatus.APPROVED, Publication.effective_at <= at)
            .order_by(Publication.effective_at, Publication.id)
        ).all()
        found: list[Version] = []
        before = ""
        for publication_id, since in rows:
            assert since is not None  # it is compared above
            says = self._print(session, publication_id)
            if says == before:
                continue
            if before:
                found[-1] = replace(found[-1], until=since)
            if says:
                found.append(Version(publication_id, since))
            before = says
        return found[::-1]

    def _print(self, session: Session, publication_id: int) -> str:
        if publication_id not in self._prints:
            self._prints[publication_id] = self._read(session, publication_id)
        return self._prints[publication_id]

    def _read(self, session: Session, publication_id: int) -> str:
        published = self._library.get(session, publication_id)
        total = hashlib.sha256()
        try:
            for language in _COMPARED:
                said = notice(published, language, self._channel)
                total.update("\0".join((said.heading, said.opening, *said.parts.values())).encode())
        except NotPublished:
            return ""
        return total.hexdigest()
