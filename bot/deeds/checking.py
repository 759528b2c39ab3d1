"""Is this message from us? What can be said of a text or a reference that somebody received, and nothing more.

A reference of ours tells that a notice went out with it, not that this text is that notice. Nothing of the text is kept, and the
rows are asked the same question whether it holds a reference or not, whether we know it or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.vault import BlindIndex
from bot.deeds.addresses import Official, foreign_numbers, judged_addresses
from bot.patients import references
from bot.patients.models import PersonReference

LONGEST = 20_000
"""Characters of a text that are looked at."""
_NOBODY = "2A3B4C5D6" + references.check_character("2A3B4C5D6")
"""Looked up where a text holds no reference; the answer is thrown away."""


def findings(session: Session, index: BlindIndex, content: Mapping[str, Any], text: str) -> tuple[str, ...]:
    """The wordings to say about a text, warnings first; none when it holds no reference, address or number to go by."""
    text = text[:LONGEST]
    typed = references.found_in(text)
    is_ours = _is_ours(session, index, typed or _NOBODY) and typed is not None
    official = Official.of(content)
    foreign, lookalike = judged_addresses(text, official)
    warnings = [
        name
        for name, found in (
            ("check_lookalike", lookalike),
            ("check_link", foreign),
            ("check_number", foreign_numbers(text, official)),
        )
        if found
    ]
    if is_ours:
        # A warning beside a true reference weighs more than the reference: it may have been copied.
        return (*warnings, "check_not_ours", "check_code_known") if warnings else ("check_code_known", "check_official")
    if typed is None and not warnings:
        return ()
    return (*warnings, *(("check_code_unknown",) if typed else ()), "check_not_ours", "check_official")


def _is_ours(session: Session, index: BlindIndex, reference: str) -> bool:
    good = select(PersonReference.id).where(PersonReference.entry.in_(index.every(references.KIND, reference)))
    return session.scalar(good.limit(1)) is not None
