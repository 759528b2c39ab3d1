"""The HTML of a notice: one table, styles in the elements, nothing fetched and nobody followed."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from jinja2 import StrictUndefined
from jinja2 import Template as Compiled
from jinja2.sandbox import SandboxedEnvironment

from bot.base.languages import Language
from bot.campaigns.content.document import Block, Kind, unbroken
from bot.campaigns.content.marks import PLACE
from bot.campaigns.content.template import LAYOUTS, Template
from bot.patients.models import Way

if TYPE_CHECKING:
    from css_inline import CSSInliner

[LAYOUT] = LAYOUTS[Way.EMAIL]
PREHEADER_MOST = 120
"""Characters that a mailbox shows beside the subject."""
GREETING_MOST = 12
"""Characters of a line that may be no more than a greeting."""


def as_html(template: Template, subject: str, blocks: tuple[Block, ...], language: Language) -> str:
    """The e-mail as HTML, places left as they are."""
    layout = _layout(template.sources[LAYOUT])
    shown = [Block(block.kind, tuple(map(unbroken, block.lines)), block.items) for block in blocks]
    page = layout.render(subject=subject, blocks=shown, lang=language.value, preheader=_preheader(blocks))
    return _inliner().inline(page)


def _preheader(blocks: tuple[Block, ...]) -> str:
    """The first sentences that hold nothing personal: they are shown where others may look, and a greeting says nothing."""
    lines = (line for block in blocks if block.kind is Kind.TEXT for line in block.lines)
    return next((line for line in lines if PLACE not in line and len(line) > GREETING_MOST), "")[:PREHEADER_MOST]


@lru_cache(maxsize=8)
def _layout(source: str) -> Compiled:
    return SandboxedEnvironment(undefined=StrictUndefined, autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(
        source
    )


@lru_cache(maxsize=1)
def _inliner() -> CSSInliner:
    from css_inline import CSSInliner  # only for whoever writes notices

    # What depends on the reader's screen cannot stand in an element: it stays in the head.
    return CSSInliner(keep_style_tags=False, keep_at_rules=True, load_remote_stylesheets=False)
