"""Letters: a notice as a PDF to be printed and put into a window envelope.

Typst sets the page from values alone: no text of a person or a fact is ever read as markup. Nothing is fetched.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from functools import lru_cache

import segno
import typst

from bot.base.errors import BadInput, Misconfigured
from bot.base.languages import Language
from bot.campaigns.content import document, marks
from bot.campaigns.content.segment import Shared, filled
from bot.campaigns.content.template import LAYOUTS, Template
from bot.patients.models import Way

[LAYOUT] = LAYOUTS[Way.LETTER]
FONTS: Mapping[Language, str] = {
    Language.EN: "Noto Sans CJK HK",
    Language.ZH_HANT: "Noto Sans CJK HK",
    Language.ZH_HANS: "Noto Sans CJK SC",
}
"""One family for both scripts in a letter, so that a Chinese name in an English one has its signs; Debian: fonts-noto-cjk."""
ADDRESS_LINES = 6
"""What the window shows of an address."""
ADDRESS_MOST = 60
"""Characters of one line of it."""

_one_at_a_time = threading.Lock()
"""A compiler keeps its inputs between calls: two letters at once could get each other's address."""


def pdf(template: Template, shared: Shared, values: Mapping[str, str], address: Sequence[str]) -> bytes:
    """The letter of one person, addressed.

    Raises BadInput for a value or an address that cannot be printed, Misconfigured when a font is missing.
    """
    made = _compile(template, shared, values, address, "pdf")
    assert isinstance(made, bytes)
    return made


def pictures(template: Template, shared: Shared, values: Mapping[str, str], address: Sequence[str]) -> list[bytes]:
    """The pages of the letter as PNG, for looking at; raises as `pdf` does."""
    made = _compile(template, shared, values, address, "png")
    return made if isinstance(made, list) else [made]


def _compile(
    template: Template, shared: Shared, values: Mapping[str, str], address: Sequence[str], form: typst.OutputFormat
) -> bytes | list[bytes]:
    if shared.head is None:
        raise BadInput(f"The notice {shared.template} was not rendered as a letter.")
    lines = [marks.tidy(line) for line in address if marks.tidy(line)]
    if not lines or len(lines) > ADDRESS_LINES or any(len(line) > ADDRESS_MOST for line in lines):
        raise BadInput(f"An address on a letter has 1 to {ADDRESS_LINES} lines of at most {ADDRESS_MOST} characters.")
    font = checked_font(shared.language)
    letter = {
        "lang": "zh" if shared.language is not Language.EN else "en",
        "script": {Language.ZH_HANT: "hant", Language.ZH_HANS: "hans"}.get(shared.language, "latn"),
        "font": font,
        "subject": shared.subject,
        "address": lines,
        "clinic": shared.head.clinic,
        "postal_address": shared.head.postal_address,
        "page": shared.head.page,
        "day": shared.head.day,
        "code": _code(shared.head.page) if shared.head.page else "",
        "blocks": [
            {"kind": block.kind.value, "lines": list(map(document.unbroken, block.lines))}
            for block in filled(shared, values).blocks
        ],
    }
    with _one_at_a_time:
        made = _compiler().compile(
            template.sources[LAYOUT].encode(),
            format=form,
            sys_inputs={"letter": json.dumps(letter, ensure_ascii=False)},
            timestamp=datetime.combine(shared.day, time(4), UTC),
            ppi=110,
        )
    assert made is not None  # without an output file it returns what it made
    return made


def checked_font(language: Language) -> str:
    """The font of letters in this language; raises Misconfigured when the machine has not got it."""
    font = FONTS[language]
    if font not in _fonts().families():
        raise Misconfigured(f"Letters need the font {font}, and it is not here: install Debian's package fonts-noto-cjk.")
    return font


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=True, include_embedded_fonts=False)


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    # Setting up takes longer than a letter: it is kept for the next one.
    return typst.Compiler(font_paths=_fonts())


@lru_cache(maxsize=16)
def _code(page: str) -> str:
    # The same page everywhere: a code that differed would tell who opened the letter.
    address = page if "://" in page else f"https://{page}"
    written = io.BytesIO()
    segno.make(address, error="m", micro=False).save(written, kind="svg", xmldecl=False, border=0, unit="mm", scale=1)
    return written.getvalue().decode()
