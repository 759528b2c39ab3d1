"""The console's own words, in English and Traditional Chinese: `data/console/<section>.yml`.

What patients read never stands here: that is a published wording.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import yaml

from bot.base.errors import Misconfigured
from bot.base.languages import Language
from bot.base.settings import REPOSITORY

FOLDER = REPOSITORY / "data" / "console"
SPOKEN = (Language.EN, Language.ZH_HANT)
"""The languages of the console."""
ANSWERS = "answers"
"""The sections that end so hold the sentences in which something is refused or explained, by their English form."""
_BLANK = re.compile(r"\{[^{}]*\}")


@lru_cache(maxsize=1)
def all_words(folder: Path = FOLDER) -> Mapping[str, Mapping[Language, str]]:
    """Every word by `section.name`; raises Misconfigured naming what is missing in a language."""
    found: dict[str, Mapping[Language, str]] = {}
    missing = []
    for path in sorted(folder.glob("*.yml")):
        for name, texts in (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).items():
            key = f"{path.stem}.{name}"
            found[key] = {language: str(texts.get(language.value) or "").strip() for language in SPOKEN}
            missing += [f"{key}.{language.value}" for language, text in found[key].items() if not text]
    if missing:
        raise Misconfigured(f"The console lacks the words {', '.join(missing)}.")
    return found


def word(language: Language, key: str, **values: object) -> str:
    """One word, with its blanks filled; raises KeyError for a word or a blank that is not there."""
    return all_words()[key][language].format(**values)


def answer(language: Language, sentence: str) -> str:
    """A sentence of the desk in the language of the page; one without a translation stays as it is."""
    for pattern, texts in _answers():
        held = pattern.fullmatch(sentence)
        if held:
            return texts[language].format(*held.groups())
    return sentence


@lru_cache(maxsize=1)
def _answers() -> list[tuple[re.Pattern[str], Mapping[Language, str]]]:
    found = []
    for key, texts in all_words().items():
        if key.partition(".")[0].endswith(ANSWERS):
            parts = _BLANK.split(texts[Language.EN])
            found.append((re.compile("(.*)".join(map(re.escape, parts))), texts))
    return found
