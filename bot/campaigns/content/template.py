"""Templates of notices, as they stand in `templates/notifications`: read, checked for form, and known by their digest.

A folder holds `template.toml` and for each language `subject.txt`, `full.txt` (e-mail, its plain part and letter are set from
it), `sms.txt` and `whatsapp.txt`. Folders that begin with `_` are shared by all: a change in
them is a new version of every template.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.patients.models import Way

FOLDER = REPOSITORY / "templates" / "notifications"
LANGUAGES = (Language.EN, Language.ZH_HANT, Language.ZH_HANS)
"""Every template exists in these, none of them a translation of another."""
FULL, SHORT = "full", "short"
FILES: Mapping[Way, tuple[str, ...]] = {
    Way.EMAIL: ("subject.txt", "full.txt"),
    Way.LETTER: ("subject.txt", "full.txt"),
    Way.SMS: ("sms.txt",),
    Way.WHATSAPP: ("whatsapp.txt",),
}
"""What a template has in each language for each way."""
LAYOUTS: Mapping[Way, tuple[str, ...]] = {Way.EMAIL: ("_layout/email.html",), Way.LETTER: ("_layout/letter.typ",)}
"""What all templates share for a way."""
ITEMS = tuple(f"N{number}" for number in range(1, 16))
STANDARD = "standard"
_KEYS = frozenset({"purpose", "channels", "by_category", "variants", "facts", "places", "items", "never", "internal", "neutral"})


@dataclass(frozen=True)
class Template:
    """One notice as it may be sent; its content never changes under its digest."""

    name: str
    digest: str  # of its files and of what it shares with others
    purpose: str
    channels: tuple[Way, ...]
    by_category: bool  # whether it tells which kinds of data of the person were held
    variants: tuple[str, ...]
    facts: tuple[str, ...]  # without these it is not sent
    places: Mapping[str, str]  # what is personal, with samples
    items: Mapping[str, tuple[str, ...]]  # of the checklist: in the full text, in a short one
    never: Mapping[str, tuple[str, ...]]  # patterns by language that this notice in particular must not hold
    internal: bool  # for the team, not for patients
    neutral: bool  # nothing in it or around it may tell what we are
    sources: Mapping[str, str] = field(repr=False)

    def canonical(self) -> str:
        """All there is to it as one text, to be stored with what was sent; `from_canonical` reads it."""
        return _canonical(self.name, self.sources)


def read(name: str, folder: Path = FOLDER) -> Template:
    """One template; raises BadInput when there is none or when it is incomplete."""
    if name.startswith("_") or not name.replace("_", "").isalnum() or not (folder / name / "template.toml").is_file():
        raise BadInput(f"There is no notice {name!r}: it is one of {', '.join(names(folder))}.")
    return _template(name, {**_files(folder, "_"), **_files(folder, name)})


def read_all(folder: Path = FOLDER) -> dict[str, Template]:
    """Every template by name; raises BadInput for the first that is incomplete."""
    return {name: read(name, folder) for name in names(folder)}


def names(folder: Path = FOLDER) -> list[str]:
    """The names of the templates."""
    return sorted(path.parent.name for path in folder.glob("*/template.toml") if not path.parent.name.startswith("_"))


def from_canonical(text: str) -> Template:
    """The template that was stored; raises BadInput for a text that is none."""
    try:
        stored = json.loads(text)
        return _template(str(stored["name"]), dict(stored["files"]))
    except (ValueError, KeyError, TypeError) as wrong:
        raise BadInput("This is not a stored template.") from wrong


def _files(folder: Path, beginning: str) -> dict[str, str]:
    places = [path for path in folder.iterdir() if path.is_dir() and (path.name == beginning or beginning == "_" == path.name[0])]
    found = {}
    for path in sorted(file for place in places for file in place.rglob("*") if file.is_file() and file.name[0] != "."):
        try:
            found[path.relative_to(folder).as_posix()] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as wrong:
            raise BadInput(f"{path.name} of the notice {path.parent.parent.name} is not UTF-8.") from wrong
    return found


def _canonical(name: str, files: Mapping[str, str]) -> str:
    return json.dumps({"name": name, "files": dict(files)}, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _template(name: str, files: Mapping[str, str]) -> Template:
    where = f"{name}/template.toml"
    try:
        said = tomllib.loads(files[where])
    except tomllib.TOMLDecodeError as wrong:
        raise BadInput(f"{where} is not valid TOML: {wrong}.") from wrong
    if odd := set(said) - _KEYS:
        raise BadInput(f"{where}: nobody knows {', '.join(sorted(odd))}.")
    try:
        template = _of(name, said, files)
    except (ValueError, TypeError, AttributeError, KeyError) as wrong:
        raise BadInput(f"{where}: {wrong}.") from wrong
    _complete(template, where)
    return template


def _of(name: str, said: Mapping[str, Any], files: Mapping[str, str]) -> Template:
    return Template(
        name=name,
        digest=hashlib.sha256(_canonical(name, files).encode()).hexdigest(),
        purpose=str(said["purpose"]),
        channels=tuple(map(Way, said["channels"])),
        by_category=bool(said.get("by_category", False)),
        variants=tuple(map(str, said.get("variants", [STANDARD]))),
        facts=tuple(map(str, said.get("facts", []))),
        places={str(key): str(sample) for key, sample in said.get("places", {}).items()},
        items={key: tuple(said.get("items", {}).get(key, [])) for key in (FULL, SHORT)},
        never={str(key): tuple(patterns) for key, patterns in said.get("never", {}).items()},
        internal=bool(said.get("internal", False)),
        neutral=bool(said.get("neutral", False)),
        sources=dict(files),
    )


def _complete(template: Template, where: str) -> None:
    for way in template.channels:
        if way not in FILES:
            raise BadInput(f"{where}: a notice does not go by {way.value}.")
        for language in LANGUAGES:
            for file in FILES[way]:
                if not template.sources.get(f"{template.name}/{language.value}/{file}", "").strip():
                    raise BadInput(f"{template.name}: {language.value}/{file} is missing, and it goes by {way.value}.")
        if absent := [layout for layout in LAYOUTS.get(way, ()) if layout not in template.sources]:
            raise BadInput(f"{absent[0]} is missing, and {template.name} goes by {way.value}.")
    if odd := {item for items in template.items.values() for item in items} - set(ITEMS):
        raise BadInput(f"{where}: the checklist has no {', '.join(sorted(odd))}.")
    if STANDARD not in template.variants:
        raise BadInput(f"{where}: the variant {STANDARD} is missing.")
    if bad := [
        place for place in template.places if not place.replace("_", "").isascii() or not place.replace("_", "").islower()
    ]:
        raise BadInput(f"{where}: {bad[0]!r} is no name for a place: small letters and low lines only.")
