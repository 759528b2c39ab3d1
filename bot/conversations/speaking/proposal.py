"""Proposals: the files in `data/` read, checked and turned into one canonical content.

Reading changes nothing and publishes nothing. Every problem of every file is reported at once, with
file and name, so that an editor mends them in one go.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.conversations.speaking.levels import Level

REQUIRED = (Language.EN, Language.ZH_HANT, Language.ZH_HANS)
"""Languages in which every wording must exist; the others fall back to English with a note."""

LEVELS = tuple(level.value for level in Level)


_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The safe loader in C where the library was built with it: ten times faster, and every start waits for it."""


def read(folder: Path) -> dict[str, Any]:
    """The content proposed by the files in `folder`; raises BadInput listing everything that is wrong."""
    problems: list[str] = []
    wordings = dict(_wordings(folder, problems))
    content = {"wordings": wordings, **_incident(folder, problems)}
    for name, wording in wordings.items():
        for follower in wording["next"]:
            if not wordings.get(follower, {}).get("label"):
                problems.append(f"{name}: next names {follower}, which has no label")
    _refuse(problems)
    return content


def read_incident(folder: Path) -> dict[str, Any]:
    """Only the facts and contacts, without the topics and their thousands of examples; raises BadInput as `read` does."""
    problems: list[str] = []
    incident = _incident(folder, problems)
    _refuse(problems)
    return incident


def _incident(folder: Path, problems: list[str]) -> dict[str, Any]:
    document = _load(folder / "incident.yml", problems)
    return {
        section: {name: _fact(fact, f"incident.yml: {section}.{name}", problems) for name, fact in _section(document, section)}
        for section in ("facts", "contacts")
    }


def _refuse(problems: list[str]) -> None:
    if problems:
        raise BadInput("The proposal has mistakes:\n" + "\n".join(f"- {problem}" for problem in problems))


def canonical(content: Mapping[str, Any]) -> str:
    """The one way in which a content is written down; equal contents give equal texts."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def digest(text: str) -> str:
    """SHA-256 of a canonical content, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def _section(document: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    section = document.get(name)
    return iter(section.items() if isinstance(section, dict) else ())


def _load(path: Path, problems: list[str]) -> dict[str, Any]:
    try:
        document = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - it is the safe one
    except FileNotFoundError:
        problems.append(f"{path.name}: the file is missing")
        return {}
    except UnicodeDecodeError:
        problems.append(f"{path.name}: is not UTF-8")
        return {}
    except yaml.YAMLError as wrong:
        mark = getattr(wrong, "problem_mark", None)
        problems.append(f"{path.name}: is not valid YAML" + (f" at line {mark.line + 1}" if mark else ""))
        return {}
    if not isinstance(document, dict):
        problems.append(f"{path.name}: is not a mapping")
        return {}
    return document


def _wordings(folder: Path, problems: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    seen: dict[str, str] = {}
    for path in sorted([*(folder / "faq").glob("*.yml"), *(folder / "flows").glob("*.yml")]):
        for name, answer in _section(_load(path, problems), "answers"):
            if name in seen:
                problems.append(f"{path.name}: {name} stands in {seen[name]} already")
            seen[name] = path.name
            yield name, _wording(answer, f"{path.name}: {name}", problems)


def _wording(answer: Any, where: str, problems: list[str]) -> dict[str, Any]:
    wording: dict[str, Any] = {"level": "public", "label": {}, "next": [], "texts": {}}
    if not isinstance(answer, dict):
        problems.append(f"{where}: is not a mapping")
        return wording
    known = {language.value for language in Language}
    for key in answer.keys() - known - {"level", "label", "next"}:
        problems.append(f"{where}: {key} is neither a language nor level, label or next")
    wording["level"] = answer.get("level", "public")
    if wording["level"] not in LEVELS:
        problems.append(f"{where}: level is {wording['level']!r}, not one of {', '.join(LEVELS)}")
    wording["label"] = answer.get("label") or {}
    wording["next"] = list(answer.get("next") or [])
    for language in Language:
        text = answer.get(language.value)
        if text is None:
            if language in REQUIRED:
                problems.append(f"{where}: has no text in {language.value}")
            continue
        if not isinstance(text, dict) or not str(text.get("text") or "").strip():
            problems.append(f"{where}: {language.value} has no `text`")
            continue
        texts = {key: str(value).strip() for key, value in text.items() if key in ("text", "short") and value}
        wording["texts"][language.value] = texts
    return wording


def _fact(fact: Any, where: str, problems: list[str]) -> dict[str, Any]:
    if not isinstance(fact, dict) or "value" not in fact:
        problems.append(f"{where}: has no `value` (write `value: null` when it is not known)")
        return {"value": None, "as_of": None}
    value = fact["value"]
    if value is not None and not fact.get("as_of"):
        problems.append(f"{where}: has a value but no `as_of` date")
    if value is None and not fact.get("asks") and not fact.get("source"):
        problems.append(f"{where}: is empty and does not say what it `asks` for")
    kept = {key: _plain(fact.get(key)) for key in ("as_of", "owner", "source", "asks") if fact.get(key) is not None}
    return {"value": _plain(value), **kept}


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return {"date": value.isoformat()[:10]}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
