"""The wordings and facts of `data/` as the tests read them: what is there, rendered full and rendered empty."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from bot.base.languages import Language
from bot.conversations.speaking import proposal, wording
from bot.conversations.speaking.levels import Level

DATA = Path(__file__).parents[2] / "data"
HERE = Path(__file__).parent

EMERGENCIES = ("self_harm", "medical_urgent", "extortion", "dv_safety", "phishing_clicked")
IN_FIVE_LANGUAGES = (
    *EMERGENCIES,
    *("what_happened", "incident_dates", "clinics_affected", "data_types", "data_stolen_status", "am_i_affected"),
    *("financial_data", "id_numbers_exposed", "ransom", "dark_web", "late_notice", "notification_status"),
    *("investigation_timeline", "is_it_safe_now", "authorities_notified", "scam_message_check", "protect_myself"),
    *("identity_misuse", "data_seen_online", "distress", "hotline_contact"),
    *("bank_precautions", "password_account", "credit_monitoring", "police_report"),
    *("complaint_regulator", "opt_out_messages"),
)
GIVEN_VALUES = {**wording.GIVEN, "case_number": "4812-0736-5", "code": "482913"}
"""Values that the application supplies when it renders."""

JINJA = re.compile(r"{{.*?}}|{%.*?%}")


@dataclass(frozen=True)
class Text:
    """One text of one wording: its language, its kind (`text` or `short`) and its source."""

    name: str
    language: Language
    kind: str
    source: str

    def __str__(self) -> str:
        return f"{self.name}-{self.language.value}-{self.kind}"

    @property
    def bare(self) -> str:
        """The source without what Jinja fills in."""
        return JINJA.sub("", self.source)

    @property
    def placeholders(self) -> list[str]:
        """What Jinja fills in or decides, sorted."""
        return sorted("".join(found.split()) for found in JINJA.findall(self.source))


@cache
def content() -> dict[str, Any]:
    """The proposal that the files in `data/` make, as the application reads it."""
    return proposal.read(DATA)


@cache
def files() -> dict[Path, dict[str, Any]]:
    """Every FAQ and flow file as it stands."""
    paths = sorted([*(DATA / "faq").glob("*.yml"), *(DATA / "flows").glob("*.yml")])
    return {path: yaml.safe_load(path.read_text(encoding="utf-8")) for path in paths}


def texts(*languages: Language) -> list[Text]:
    """Every text, of all languages or of those given."""
    return [text for text in _all() if not languages or text.language in languages]


def _all() -> Iterator[Text]:
    for name, answer in content()["wordings"].items():
        for language, kinds in answer["texts"].items():
            for kind, source in kinds.items():
                yield Text(name, Language(language), kind, source)


@cache
def with_all_facts() -> dict[str, Any]:
    """The content with every open fact filled from `filled.yml`."""
    filled = yaml.safe_load((HERE / "filled.yml").read_text(encoding="utf-8"))
    facts = {
        name: fact if fact["value"] is not None else {**fact, "value": _plain(filled[name]), "as_of": {"date": "2023-05-09"}}
        for name, fact in content()["facts"].items()
    }
    return {**content(), "facts": facts}


@cache
def with_no_facts() -> dict[str, Any]:
    """The content of a clinic that has filled in nothing."""
    facts = {name: {**fact, "value": None, "as_of": None} for name, fact in content()["facts"].items()}
    return {**content(), "facts": facts}


def rendered(text: Text, published: Mapping[str, Any]) -> str:
    """What the reader sees."""
    channel = "sms" if text.kind == "short" else "web"
    return wording.render(published, text.name, text.language, channel, GIVEN_VALUES, Level.VERIFIED).text


def not_known(language: Language) -> str:
    """The language's words for a missing fact."""
    return str(content()["wordings"]["not_known_yet"]["texts"][language.value]["text"])


def forbidden() -> dict[str, list[str]]:
    """Patterns that no text may hold, by language."""
    loaded: dict[str, list[str]] = yaml.safe_load((DATA / "never_say.yml").read_text(encoding="utf-8"))
    return loaded


def examples() -> Iterator[tuple[str, str]]:
    """Every training example with its topic."""
    for document in files().values():
        for block in document.get("nlu", []):
            for line in block["examples"].splitlines():
                yield block["intent"], line.removeprefix("- ")


def _plain(value: Any) -> Any:
    return {"date": value.isoformat()} if isinstance(value, date) else value
