"""Letters: a notice as a PDF to be printed and put into a window envelope.

Typst sets the page from values alone: no text of a person or a fact is ever read as markup. Nothing is fetched.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from functools import lru_cache
from typing import Any

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.campaigns.content import document, marks, press
from bot.campaigns.content.segment import Shared, filled
from bot.campaigns.content.template import LAYOUTS, Template
from bot.patients.models import Way

[LAYOUT] = LAYOUTS[Way.LETTER]
ADDRESS_LINES = 6
"""What the window shows of an address."""
ADDRESS_MOST = 60
"""Characters of one line of it."""


@dataclass(frozen=True)
class Sheet:
    """One letter to be set."""

    template: Template
    shared: Shared
    values: Mapping[str, str] = field(repr=False)
    address: Sequence[str] = field(repr=False)
    number: str = ""  # printed under the address, as words and as a code, to be known again when it comes back


def pdf(template: Template, shared: Shared, values: Mapping[str, str], address: Sequence[str], number: str = "") -> bytes:
    """The letter of one person, addressed.

    Raises BadInput for a value or an address that cannot be printed, Misconfigured when a font is missing.
    """
    return batch([Sheet(template, shared, values, address, number)])[0]


def pictures(template: Template, shared: Shared, values: Mapping[str, str], address: Sequence[str]) -> list[bytes]:
    """The pages of the letter as PNG, for looking at; raises as `pdf` does."""
    sheet = Sheet(template, shared, values, address)
    layout = template.sources[LAYOUT].encode()
    made = press.compiled(layout, "letters", [printed(sheet)], _noon(shared), "png")
    return made if isinstance(made, list) else [made]


def batch(sheets: Sequence[Sheet]) -> tuple[bytes, list[int]]:
    """Letters of one layout as one PDF, and how many pages each has; raises as `pdf` does."""
    layouts = {one.template.sources[LAYOUT] for one in sheets}
    if len(layouts) != 1:
        raise BadInput("The letters of a batch have one layout.")
    content = [printed(one) for one in sheets]
    return press.set_counted(layouts.pop().encode(), "letters", content, _noon(sheets[0].shared))


def printed(sheet: Sheet) -> dict[str, Any]:
    """What the layout is given for one letter; raises as `pdf` does."""
    shared = sheet.shared
    if shared.head is None:
        raise BadInput(f"The notice {shared.template} was not rendered as a letter.")
    lines = [marks.tidy(line) for line in sheet.address if marks.tidy(line)]
    if not lines or len(lines) > ADDRESS_LINES or any(len(line) > ADDRESS_MOST for line in lines):
        raise BadInput(f"An address on a letter has 1 to {ADDRESS_LINES} lines of at most {ADDRESS_MOST} characters.")
    return {
        "lang": "zh" if shared.language is not Language.EN else "en",
        "script": {Language.ZH_HANT: "hant", Language.ZH_HANS: "hans"}.get(shared.language, "latn"),
        "font": press.checked_font(shared.language),
        "subject": shared.subject,
        "address": lines,
        "clinic": shared.head.clinic,
        "postal_address": shared.head.postal_address,
        "page": shared.head.page,
        "day": shared.head.day,
        "code": _code(_address(shared.head.page)) if shared.head.page else "",
        "number": sheet.number,
        "number_code": _code(sheet.number) if sheet.number else "",
        "blocks": [
            {"kind": block.kind.value, "lines": list(map(document.unbroken, block.lines))}
            for block in filled(shared, sheet.values).blocks
        ],
    }


def _noon(shared: Shared) -> datetime:
    return datetime.combine(shared.day, time(4), UTC)


def _address(page: str) -> str:
    # The same page everywhere: a code that differed would tell who opened the letter.
    return page if "://" in page else f"https://{page}"


@lru_cache(maxsize=16)
def _code(words: str) -> str:
    import segno  # only for whoever writes letters

    written = io.BytesIO()
    segno.make(words, error="m", micro=False).save(written, kind="svg", xmldecl=False, border=0, unit="mm", scale=1)
    return written.getvalue().decode()
