"""Pages set by Typst out of data: no word of a person or a fact is ever read as markup, and nothing is fetched."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.base.errors import Misconfigured
from bot.base.languages import Language

if TYPE_CHECKING:
    import typst

FONTS: Mapping[Language, str] = {
    Language.EN: "Noto Sans CJK HK",
    Language.ZH_HANT: "Noto Sans CJK HK",
    Language.ZH_HANS: "Noto Sans CJK SC",
}
"""One family for both scripts, so that a Chinese name in an English page has its signs; Debian: fonts-noto-cjk."""

_one_at_a_time = threading.Lock()
"""A compiler keeps its inputs between calls: two pages at once could get each other's words."""


def set_pages(layout: bytes, name: str, content: Any, at: datetime) -> bytes:
    """A PDF of a layout with its data under `name`; equal for equal data and moments."""
    made = compiled(layout, name, content, at, "pdf")
    assert isinstance(made, bytes)
    return made


def compiled(layout: bytes, name: str, content: Any, at: datetime, form: typst.OutputFormat) -> bytes | list[bytes]:
    """The same in another form: a picture for each page."""
    with _one_at_a_time:
        made = _compiler().compile(
            layout,
            format=form,
            sys_inputs={name: json.dumps(content, ensure_ascii=False)},
            timestamp=at.replace(microsecond=0),
            ppi=110,
        )
    assert made is not None  # without an output file it returns what it made
    return made


def set_counted(layout: bytes, name: str, content: Any, at: datetime) -> tuple[bytes, list[int]]:
    """A PDF of a layout that tells under `<pages>` how many pages each of its parts has, and these numbers."""
    from typst import Compiler

    given = {name: json.dumps(content, ensure_ascii=False)}
    with tempfile.TemporaryDirectory() as folder:  # it asks only documents that have a file
        path = Path(folder, "layout.typ")
        path.write_bytes(layout)
        compiler = Compiler(path, root=folder, font_paths=_fonts(), sys_inputs=given)
        made = compiler.compile(format="pdf", timestamp=at.replace(microsecond=0))
        pages: list[int] = json.loads(compiler.query("<pages>", field="value", one=True))
    assert isinstance(made, bytes)
    return made, pages


def checked_font(language: Language) -> str:
    """The font for this language; raises Misconfigured when the machine has not got it."""
    font = FONTS[language]
    if font not in _fonts().families():
        raise Misconfigured(f"Letters need the font {font}, and it is not here: install Debian's package fonts-noto-cjk.")
    return font


@lru_cache(maxsize=1)
def _fonts() -> typst.Fonts:
    from typst import Fonts  # 7 MB: only for whoever makes pages

    return Fonts(include_system_fonts=True, include_embedded_fonts=False)


@lru_cache(maxsize=1)
def _compiler() -> typst.Compiler:
    from typst import Compiler

    # Setting up takes longer than a page: it is kept for the next one.
    return Compiler(font_paths=_fonts())
