"""The document for an authority, written out of approved facts: what is known with its date, what is not known said so."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from bot.base.clock import in_hong_kong
from bot.base.errors import NotPublished
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.campaigns.content import document, press
from bot.conversations.speaking import wording
from bot.regulators.authorities import Authority
from bot.regulators.models import Filing, FilingStatus

FOLDER = REPOSITORY / "templates" / "regulators"


@dataclass(frozen=True)
class Draft:
    """What a document is written from."""

    key: str
    authority: Authority
    number: int
    publication: int
    content: Mapping[str, Any]
    changes: Sequence[str]  # what is new since the last report, a line each
    told: Sequence[str]  # how far the notices to patients are, a line each
    at: datetime


def write(draft: Draft) -> str:
    """The document as Markdown; raises NotPublished naming a fact that the publication does not have."""
    said = Said(draft.content)
    try:
        template = _environment().get_template(f"{draft.key}.md")
        text = template.render(
            authority=draft.authority,
            number=draft.number,
            publication=draft.publication,
            today=wording.spoken({"date": in_hong_kong(draft.at).date().isoformat()}, Language.EN),
            changes=draft.changes,
            told=draft.told,
            known=said.known,
            plain=said.plain,
            said=said,
        )
    except (TemplateError, KeyError) as wrong:
        raise NotPublished(f"The document for {draft.key} cannot be written: {wrong}.") from wrong
    lines = (line.rstrip() for line in text.splitlines())
    return "\n".join(lines).replace("\n\n\n", "\n\n").strip() + "\n"


class Said:
    """Facts as a document says them; remembers which it was asked for and nobody knows."""

    def __init__(self, content: Mapping[str, Any]) -> None:
        self._raw = content["facts"]
        self._facts = wording.surroundings(content, Language.EN)["facts"]
        self._missing: dict[str, str] = {}

    def known(self, name: str) -> str:
        """The fact with the day it was last known to be right, or that it is not known yet; raises KeyError for no fact."""
        fact, raw = self._facts[name], self._raw[name]
        if not fact.known:
            self._missing[name] = f"{raw.get('asks') or name.replace('_', ' ')} ({raw.get('owner') or 'nobody yet'} finds out)"
            return "not known yet"
        return f"{str(fact).rstrip('.')} (as of {fact.as_of})" if raw.get("as_of") else str(fact)

    def plain(self, name: str) -> str:
        """The same without the day, for the middle of a sentence."""
        return self.known(name).partition(" (as of ")[0]

    @property
    def unknown(self) -> list[str]:
        """What was asked for and is not known, with who finds out; asked for last."""
        return list(self._missing.values()) or ["Nothing that this report asks for."]


def changed_facts(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What the later content knows otherwise than the earlier one, a line for each fact."""
    was, lines = Said(before), []
    said = Said(now)
    for name, fact in sorted(now["facts"].items()):
        earlier = before["facts"].get(name, {})
        if fact.get("value") != earlier.get("value"):
            old = was.known(name) if name in before["facts"] else "not asked"
            lines.append(f"{name.replace('_', ' ')}: {said.known(name)}; before: {old}")
    return lines


def digest_of(text: str) -> str:
    """SHA-256 of a document."""
    return hashlib.sha256(text.encode()).hexdigest()


def pdf(filing: Filing) -> bytes:
    """The document as a PDF, the same every time; one that was not approved says so on its first page."""
    blocks = [{"kind": one.kind.value, "lines": list(one.lines)} for one in document.parse(filing.text)]
    is_final = filing.status in (FilingStatus.APPROVED, FilingStatus.FILED)
    content = {
        "title": blocks[0]["lines"][0] if blocks else "",
        "foot": f"SHA-256 {filing.digest}",
        "font": press.checked_font(Language.ZH_HANT),
        "mark": "" if is_final else f"{filing.status}: not for handing over",
        "blocks": blocks,
    }
    return press.set_pages((FOLDER / "layout.typ").read_bytes(), "filing", content, filing.drafted_at)


@lru_cache(maxsize=1)
def _environment() -> SandboxedEnvironment:
    return SandboxedEnvironment(
        loader=FileSystemLoader(FOLDER), undefined=StrictUndefined, autoescape=False, trim_blocks=True, lstrip_blocks=True
    )
