"""The console's words: complete in both languages, also where the desk refuses something."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from bot.base.errors import Misconfigured
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.desk.models import CaseStatus, Outcome
from bot.desk.reasons import REASONS, TEAMS
from bot.desk.staff.approvals import What
from bot.desk.staff.models import AccountStatus, ApprovalStatus
from bot.desk.staff.roles import Role
from bot.web.console.naming import SECTION, named
from bot.web.console.rendering import SWITCHES
from bot.web.console.words import ANSWERS, FOLDER, SPOKEN, all_words, answer
from tests.content.texts import content, files

CALLED = re.compile(r"""\bt\(\s*["']([a-z_]+\.[a-z0-9_]+)["']\s*[,)]""")
SAID = re.compile(r"""\b(?:said|refused)\(\s*["']([a-z_]+\.[a-z0-9_]+)["']""")
HAN = re.compile(r"[\u4e00-\u9fff]")


def sources() -> Iterator[Path]:
    yield from (REPOSITORY / "templates" / "console").glob("*.html")
    yield from (REPOSITORY / "bot" / "web" / "console").rglob("[!_]*.py")


def refusals(*folders: str) -> Iterator[str]:
    """Every sentence in which something is refused, with {} for what is filled in."""
    for path in (path for folder in folders for path in (REPOSITORY / "bot" / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("BadInput", "NotAuthentic"):
                yield _literal(node.args[0])


def _literal(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return str(node.value) if isinstance(node, ast.Constant) else ""


def test_every_word_exists_in_both_languages() -> None:
    words = all_words()
    assert len(words) > 100
    assert all(texts[language] for texts in words.values() for language in SPOKEN)


def test_a_comma_ends_no_word() -> None:
    for path in FOLDER.glob("*.yml"):
        for name, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items():
            assert set(texts) == {one.value for one in SPOKEN}, f"{path.name}: {name}"


def test_a_word_that_lacks_a_language_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text("good: {en: a, zh-Hant: 甲}\nhalf: {en: a}\n", encoding="utf-8")
    with pytest.raises(Misconfigured, match=r"x\.half\.zh-Hant"):
        all_words.__wrapped__(tmp_path)


def test_both_languages_have_the_same_blanks() -> None:
    blanks = re.compile(r"\{(\w*)\}")
    different = [key for key, texts in all_words().items() if len({tuple(sorted(blanks.findall(t))) for t in texts.values()}) > 1]
    assert different == []


def test_every_word_that_a_page_asks_for_exists() -> None:
    asked = {key for path in sources() for key in (*CALLED.findall(path.read_text()), *SAID.findall(path.read_text()))}
    assert sorted(asked - set(all_words())) == []
    assert len(asked) > 100


def test_every_list_of_the_desk_has_its_words() -> None:
    wanted = {
        *(f"reasons.{code}" for code in REASONS),
        *(f"desk.team_{team}" for team in TEAMS),
        *(f"desk.status_{status}" for status in CaseStatus),
        *(f"desk.outcome_{outcome}" for outcome in Outcome),
        *(f"roles.{role}" for role in Role),
        *(f"approvals.what_{what}" for what in What),
        *(f"approvals.status_{status}" for status in ApprovalStatus),
        *(f"accounts.status_{status}" for status in AccountStatus),
        *(f"base.switch_{switch}" for switch in SWITCHES),
        *(f"queue.switched_{way}_{switch}" for switch in SWITCHES for way in ("on", "off")),
    }
    assert sorted(wanted - set(all_words())) == []


def test_every_text_and_topic_has_a_name_in_both_languages() -> None:
    topics = {next(iter(one)) if isinstance(one, dict) else one for file in files().values() for one in file.get("intents", ())}
    known = {*content()["wordings"], *topics}
    assert len(known) > 150
    names = {code: named(content(), code, Language.ZH_HANT) for code in known}
    assert sorted(code for code, name in names.items() if not HAN.search(name)) == []
    assert [code for code in known if named(content(), code, Language.EN) == code.replace("_", " ") and "_" in code] == []


def test_no_name_is_for_a_text_that_is_not_there_or_has_a_label() -> None:
    ours = {key.partition(".")[2] for key in all_words() if key.startswith(f"{SECTION}.")}
    unnamed = {code for code, each in content()["wordings"].items() if not each.get("label")}
    assert sorted(ours ^ unnamed) == []


def test_every_refusal_of_the_desk_is_said_in_chinese_too() -> None:
    found = refusals("desk", "web/console", "patients/roster")
    said = {sentence: answer(Language.ZH_HANT, sentence.replace("{}", "7")) for sentence in found if sentence}
    assert len(said) > 50
    assert sorted(sentence for sentence, chinese in said.items() if not HAN.search(chinese)) == []


def test_no_translation_is_for_a_sentence_that_nobody_says() -> None:
    spoken = set(refusals("."))
    ours = {re.sub(r"\{\d*\}", "{}", texts[Language.EN]) for key, texts in all_words().items() if key.startswith(f"{ANSWERS}.")}
    assert sorted(ours - spoken) == []


def test_a_filled_sentence_keeps_what_was_filled_in() -> None:
    assert "12" in answer(Language.ZH_HANT, "A password has between 12 and 200 characters.")
    assert answer(Language.ZH_HANT, "Nobody ever said this.") == "Nobody ever said this."


def test_every_reason_why_a_post_was_not_taken_is_said_in_chinese() -> None:
    given = re.compile(r'problem=(?:"[^"]+" if is_late.is_set\(\) else )?"([^"]+)"')
    folder = REPOSITORY / "bot" / "desk" / "integrations"
    said = {text for path in folder.glob("*.py") for text in given.findall(path.read_text(encoding="utf-8"))}
    assert len(said) == 5
    assert sorted(text for text in said if not HAN.search(answer(Language.ZH_HANT, text))) == []
