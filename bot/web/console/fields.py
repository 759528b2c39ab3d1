"""The fields of a form, as text: typed by a person, or by anybody who pretends to be one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs

from fastapi import Request

from bot.base.errors import BadInput

MOST_FIELDS = 1000


@dataclass(frozen=True, repr=False)
class Sent:
    """The fields of a form, as text."""

    fields: Mapping[str, list[str]] = field(default_factory=dict)

    def get(self, name: str, most: int = 2000) -> str:
        """A field without its outer blanks, empty when it is not there; raises BadInput for one that is too long."""
        text = self.raw(name).strip()
        if len(text) > most:
            raise BadInput("One of the fields is too long.")
        return text

    def raw(self, name: str) -> str:
        """A field exactly as it was typed, for passwords."""
        return self.fields.get(name, [""])[0]

    def all(self, name: str) -> list[str]:
        """Every value of a field that can be chosen more than once."""
        return list(self.fields.get(name, []))

    def number(self, name: str) -> int:
        """A field that holds a number; raises BadInput for anything else."""
        return whole(self.get(name))

    def numbers(self, name: str) -> list[int]:
        """The same for a field that can be chosen more than once."""
        return [whole(text) for text in self.all(name)]


def whole(text: str) -> int:
    """The number that a text holds; raises BadInput for anything else."""
    if not (text.isascii() and text.isdecimal() and len(text) < 16):
        raise BadInput("A number has only digits.")
    return int(text)


async def sent_of(request: Request) -> Sent:
    """The fields of the request's form; empty for any other body."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        return Sent()
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return Sent(parse_qs(body, keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except ValueError:
        raise BadInput("The form has too many fields.") from None
