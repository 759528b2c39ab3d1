"""What a responder may write in their own words: short, without anything private, and nothing on the never-say list.

Approved texts carry the meaning; the free part is for what only a person can add. It is checked here, on the
server, for identity numbers, cards, telephone numbers and addresses, for links that are not ours, for what no
text of ours may say, and for its language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from bot.base.errors import Misconfigured
from bot.base.languages import Language, identify
from bot.base.text import plain
from bot.conversations.reading import guard

MOST_CHARACTERS = 600
_LINK = re.compile(
    r"(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|hk|cn|io|me|info|link|app|top|xyz)\b(?:/\S*)?", re.I
)
FEW_WORDS = 12
"""Characters below which a text is too short to tell its language."""


class Flaw(StrEnum):
    """What keeps a free part from being sent."""

    EMPTY = "empty"  # neither an approved text nor a word of one's own
    TOO_LONG = "too_long"  # longer than a short free part
    PRIVATE = "private"  # an identity number, card, telephone number or address
    LINK = "link"  # a link that is not ours
    NEVER_SAID = "never_said"  # something no text of ours may say
    OTHER_LANGUAGE = "other_language"  # not the language of the patient
    NO_SUCH_TEXT = "no_such_text"  # a name that nothing is published under
    WINDOW_CLOSED = "window_closed"  # the channel takes no free text now: the patient has to write first
    NOT_TRANSLATED = "not_translated"  # an approved text that does not exist in the patient's language


@dataclass(frozen=True)
class Objection:
    """One thing that is wrong, and where: a kind of detail, the words that were found, the name of a text."""

    flaw: Flaw
    what: str = ""


@dataclass(frozen=True)
class NeverSay:
    """The list of what no text may say, by language; `any` holds for all."""

    patterns: Mapping[str, Sequence[re.Pattern[str]]]

    def found(self, text: str, language: Language) -> list[str]:
        """The words of a text that are on the list."""
        listed = (*self.patterns.get("any", ()), *self.patterns.get(language.value, ()))
        return [match[0] for pattern in listed if (match := pattern.search(text))]


def load_never_say(path: Path) -> NeverSay:
    """Read `data/never_say.yml`; raises Misconfigured when it is missing or a pattern of it is none."""
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        patterns = {
            language: tuple(re.compile(one, re.IGNORECASE | re.MULTILINE) for one in listed)
            for language, listed in document.items()
        }
    except (OSError, yaml.YAMLError, re.error, AttributeError, TypeError) as wrong:
        raise Misconfigured(f"{path.name} cannot be read: {type(wrong).__name__}.") from None
    return NeverSay(patterns)


@dataclass(frozen=True)
class Rules:
    """What free words are checked against: the never-say list, numbers that may be written, our own sites."""

    never_say: NeverSay
    official: frozenset[str] = frozenset()
    own_sites: frozenset[str] = frozenset()


def objections(
    rules: Rules,
    content: Mapping[str, Any],
    *,
    names: Sequence[str],
    free: str,
    language: Language,
    in_english: bool = False,
) -> list[Objection]:
    """Everything that keeps a reply from being sent; none when it may go.

    With `in_english`, approved texts without a translation go out in English, with the note that says so.
    """
    if not names and not free.strip():
        return [Objection(Flaw.EMPTY)]
    return [*_of_names(content, names, language, in_english), *of_free(rules, free, language)]


def of_free(rules: Rules, free: str, language: Language) -> list[Objection]:
    """What is wrong with the free part alone; nothing with an empty one."""
    if not free.strip():
        return []
    found = []
    if len(free) > MOST_CHARACTERS:
        found.append(Objection(Flaw.TOO_LONG, str(MOST_CHARACTERS)))
    hidden = guard.clean(free[: 4 * MOST_CHARACTERS], official=rules.official).hidden
    found += [Objection(Flaw.PRIVATE, kind) for kind in hidden]
    shown = plain(free)
    found += [Objection(Flaw.LINK, link) for link in _LINK.findall(shown) if not _is_ours(link, rules.own_sites)]
    languages = (language,) if language is Language.EN else (language, Language.EN)
    words = dict.fromkeys(word for one in languages for word in rules.never_say.found(shown, one))
    found += [Objection(Flaw.NEVER_SAID, word) for word in words]
    if _is_in_another(shown, language):
        found.append(Objection(Flaw.OTHER_LANGUAGE, language.value))
    return found


def _of_names(content: Mapping[str, Any], names: Sequence[str], language: Language, in_english: bool) -> list[Objection]:
    found = []
    for name in names:
        wording = content["wordings"].get(name)
        if wording is None:
            found.append(Objection(Flaw.NO_SUCH_TEXT, name))
        elif language.value not in wording["texts"] and not in_english:
            found.append(Objection(Flaw.NOT_TRANSLATED, name))
    return found


def _is_in_another(text: str, language: Language) -> bool:
    if len(text.strip()) < FEW_WORDS:
        return False
    written = identify(text, language)
    return written is not None and written is not language


def _is_ours(link: str, own_sites: frozenset[str]) -> bool:
    host = re.sub(r"^https?://", "", link, flags=re.I).split("/")[0].split(":")[0].casefold().rstrip(".,;)")
    return any(host == site or host.endswith(f".{site}") for site in own_sites)
