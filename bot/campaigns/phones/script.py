"""What is said on the telephone, in the person's language, with the facts of the campaign's publication."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.campaigns.models import Variant
from bot.conversations.speaking import wording
from bot.conversations.speaking.publication import Publication

FILE = REPOSITORY / "templates" / "phones" / "script.yml"
SPOKEN = (Language.EN, Language.ZH_HANT, Language.ZH_HANS)
STEPS = (*("who", "somebody_else", "is_it_genuine", "never", "told", "reference", "can_do", "danger", "end", "voicemail"),)
"""The steps of a call, in order."""
_environment = SandboxedEnvironment(undefined=StrictUndefined, autoescape=False)


def script(session: Session, version: str, language: Language, variant: Variant, *, name: str, caller: str) -> dict[str, str]:
    """The steps of a call to this person; raises BadInput when the version has no publication.

    At a safe contact nobody names a clinic: the neutral name and line stand in their place, and the official page is not named.
    """
    facts = _facts(session, version)
    spoken = language if language in SPOKEN else Language.EN
    given: dict[str, Any] = {**wording.surroundings(facts, spoken), "name": name, "caller": caller}
    texts = dict(steps(spoken))
    if variant is Variant.NEUTRAL:
        known = given["facts"]
        given["facts"] = {**known, "clinic_name": known["neutral_name"], "hotline": known["neutral_line"]}
        del texts["is_it_genuine"]
    return {step: _environment.from_string(text).render(given) for step, text in texts.items()}


def steps(language: Language) -> Mapping[str, str]:
    """The steps as they are written, for this language."""
    return _read()[language.value]


@lru_cache(maxsize=1)
def _read() -> dict[str, dict[str, str]]:
    read: dict[str, dict[str, str]] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {language: {step: texts[step] for step in STEPS} for language, texts in read.items()}


def _facts(session: Session, version: str) -> Mapping[str, Any]:
    number = version.partition(".")[2]
    publication = session.get(Publication, int(number)) if number.isdecimal() else None
    if publication is None:
        raise BadInput("This campaign names no publication: there are no facts to say.")
    content: dict[str, Any] = json.loads(publication.content)
    return content
