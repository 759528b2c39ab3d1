"""Signs inside a text on its way from a template to a channel: where a value begins and ends, where a personal one will stand.

They are private-use characters that no value keeps, so a value can never make a heading, a step or a place of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable

OPEN, CLOSE, PLACE, END = "\ue000", "\ue001", "\ue002", "\ue003"

_SIGNS = re.compile("[\ue000-\ue003]")
_NOT_SHOWN = re.compile("[\ue000-\ue003\u202a-\u202e\u2066-\u2069]")
_VALUE = re.compile("\ue000([^\ue001]*)\ue001")
_PLACE = re.compile("\ue002([a-z_]+)\ue003")


class Approved(str):
    """Words that may have paragraphs and steps of their own: an approved wording, not a value."""

    __slots__ = ()


class Place(Approved):
    """Where something personal will stand."""

    __slots__ = ()


def place(name: str) -> Place:
    """The sign for a personal value of this name."""
    return Place(f"{PLACE}{name}{END}")


def tidy(value: str) -> str:
    """A value as one line of ordinary characters: no line breaks, no controls, nothing that turns the line, none of our signs."""
    visible = "".join(" " if unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") else sign for sign in value)
    return " ".join(_NOT_SHOWN.sub("", visible).split())


def without_signs(text: str, but: Iterable[str]) -> str:
    """A text without our signs, but for the places given."""
    given = [re.escape(one) for one in but]
    parts = re.split(f"({'|'.join(given)})", text) if given else [text]
    return "".join(part if place % 2 else _SIGNS.sub("", part) for place, part in enumerate(parts))


def tidy_but_places(marked: str) -> str:
    """The same for a text that may hold places, which stay."""
    return PLACE.join(END.join(map(tidy, part.split(END))) for part in marked.split(PLACE)) if PLACE in marked else tidy(marked)


def value(text: str) -> str:
    """A value between its signs."""
    return f"{OPEN}{tidy(text)}{CLOSE}"


def plain(marked: str) -> str:
    """The text without the signs around values; places stay."""
    return marked.replace(OPEN, "").replace(CLOSE, "")


def places_in(marked: str) -> list[str]:
    """The names of the personal values in a text, each once, in order."""
    return list(dict.fromkeys(_PLACE.findall(marked)))


def with_places(marked: str, instead: Callable[[str], str]) -> str:
    """The text with something instead of each place."""
    return _PLACE.sub(lambda match: instead(match[1]), marked)


def with_numbers(marked: str) -> tuple[str, list[str]]:
    """The text with `{{1}}`, `{{2}}` … instead of values and places, and these in order; equal ones share a number."""
    found: list[str] = []

    def number(match: re.Match[str]) -> str:
        taken = match[0] if match[0].startswith(PLACE) else match[1]
        if taken not in found:
            found.append(taken)
        return f"{{{{{found.index(taken) + 1}}}}}"

    return re.sub(f"{_PLACE.pattern}|{_VALUE.pattern}", lambda match: number(_again(match)), marked), found


def _again(match: re.Match[str]) -> re.Match[str]:
    pattern = _PLACE if match[0].startswith(PLACE) else _VALUE
    again = pattern.match(match[0])
    assert again is not None  # it matched as a part of the larger pattern
    return again
