"""The words of the patient page itself, and the language in which a browser wants to read them.

Labels name buttons and states. What Candour says about the incident is a published wording and
never stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml

from bot.base.errors import Misconfigured
from bot.base.languages import Language
from bot.base.settings import REPOSITORY

LABELS = REPOSITORY / "templates" / "patient" / "labels.yml"

# BCP 47 tags browsers send, by their beginning; the first match wins, so the longer ones stand first.
_TAGS: Mapping[str, Language] = {
    "zh-hans": Language.ZH_HANS,
    "zh-cn": Language.ZH_HANS,
    "zh-sg": Language.ZH_HANS,
    "zh": Language.ZH_HANT,
    "yue": Language.ZH_HANT,
    "tl": Language.TL,
    "fil": Language.TL,
    "id": Language.ID,
    "in": Language.ID,
    "en": Language.EN,
}


@dataclass(frozen=True)
class Labels:
    """All labels and refusals of one language; every name exists in every language."""

    labels: Mapping[str, str]
    refusals: Mapping[str, str]


@lru_cache(maxsize=1)
def all_labels(path: Path = LABELS) -> Mapping[Language, Labels]:
    """The table, read once; raises Misconfigured naming what is missing."""
    table = yaml.safe_load(path.read_text(encoding="utf-8"))
    missing = [
        f"{section}.{name}.{language.value}"
        for section in ("labels", "refusals")
        for name, words in table[section].items()
        for language in Language
        if not str(words.get(language.value) or "").strip()
    ]
    if missing:
        raise Misconfigured(f"{path.name} lacks {', '.join(missing)}.")
    return {
        language: Labels(
            *({name: words[language.value] for name, words in table[part].items()} for part in ("labels", "refusals"))
        )
        for language in Language
    }


def refusal(code: str, language: Language) -> str:
    """The sentence that a patient reads when something is refused for the reason `code`."""
    return all_labels()[language].refusals[code]


def wanted(accept_language: str) -> Language:
    """The best language for an Accept-Language header; English when it names none of ours."""
    ranked: list[tuple[float, int, str]] = []
    for place, part in enumerate(accept_language[:400].split(",")):
        tag, _, weight = part.strip().lower().partition(";")
        ranked.append((-_quality(weight), place, tag.strip().replace("_", "-")))
    for quality, _, tag in sorted(ranked):
        for beginning, language in _TAGS.items():
            if quality < 0 and (tag == beginning or tag.startswith(beginning + "-")):
                return language
    return Language.EN


def _quality(weight: str) -> float:
    name, _, value = weight.strip().partition("=")
    try:
        return min(1.0, float(value)) if name == "q" else 1.0
    except ValueError:
        return 0.0
