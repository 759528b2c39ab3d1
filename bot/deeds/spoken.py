"""Lists in words: kinds of data, notices, people. Every word of ours is a wording; dates are written as the language does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.base.languages import CHINESE, Language
from bot.conversations.speaking import wording
from bot.patients.finding import Particulars
from bot.patients.models import Category
from bot.patients.notices.models import NoticeOnFile

MOST_NOTICES = 12
MOST_NOTICES_SHORT = 4
"""Notices named in one answer, the newest; on SMS fewer."""


def kinds(content: Mapping[str, Any], language: Language, held: Sequence[Category]) -> str:
    """The kinds of data in the order of their list, as the language enumerates."""
    named = [_words(content, f"category_{category.value}", language) for category in Category if category in held]
    return wording.spoken(named, language)


def notices(content: Mapping[str, Any], language: Language, channel: str, rows: Sequence[NoticeOnFile]) -> str:
    """One line for each notice: day, name, version, way."""
    most = MOST_NOTICES_SHORT if channel in wording.SHORT_CHANNELS else MOST_NOTICES
    return "\n".join(_notice(content, language, row) for row in rows[-most:])


def _notice(content: Mapping[str, Any], language: Language, row: NoticeOnFile) -> str:
    day = wording.spoken({"date": row.sent_on.isoformat()}, language)
    how = _words(content, f"notice_sent_{row.way}", language)
    named = f"{row.name} ({row.version})" if row.version else row.name
    return f"{day}：{named}，{how}" if language in CHINESE else f"{day}: {named}, {how}"


def people(persons: Sequence[Particulars], language: Language) -> str:
    """Numbered names, in the script the reader reads where there is one."""
    names = [(one.name_zh or one.name) if language in CHINESE else (one.name or one.name_zh) for one in persons]
    return "; ".join(f"{place}. {name}" for place, name in enumerate(names, start=1))


def whom(content: Mapping[str, Any], language: Language, place: str | None) -> str:
    """Whom an answer is about: the reader, or the ward with this number."""
    if place is None:
        return _words(content, "about_you", language)
    return wording.render(content, "about_ward", language, "web", {"place": place}).text


def _words(content: Mapping[str, Any], name: str, language: Language) -> str:
    return wording.render(content, name, language, "web", {}).text
