"""The lint: what is shipped passes; whatever is spoilt is found, with the notice, the place and the rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.base.languages import Language
from bot.campaigns.content import checklist, lint, parity
from bot.campaigns.content.template import ITEMS
from tests.campaigns.content import notices
from tests.content import texts

FIRST = "first_notice/en/full.txt"
PARTS = {
    "N1": ("we are very sorry", "happened"),
    "N6": "harm",
    "N7": "done",
    "N8": "reach",
    "N9": "steps",
    "N10": "done",
    "N12": "genuine",
    "N13": "end",
    "N14": "end",
}


def rules(one: lint.Template, content: dict[str, object] | None = None) -> set[str]:
    """The rules that find something wrong."""
    return {found.rule for found in lint.lint(one, content or texts.with_all_facts()) if not found.is_open}


def spoilt(old: str, new: str, file: str = FIRST, name: str = "first_notice") -> set[str]:
    """The same for a shipped notice with a passage replaced."""
    return rules(notices.changed(name, file, old, new))


@pytest.mark.parametrize("name", notices.NAMES)
def test_what_is_shipped_has_no_mistake(name: str) -> None:
    assert lint.lint(notices.read(name), texts.with_all_facts()) == []


@pytest.mark.parametrize("name", notices.NAMES)
def test_what_is_shipped_lacks_only_facts_with_the_facts_of_today(name: str) -> None:
    assert [found for found in lint.lint(notices.read(name), texts.content()) if not found.is_open] == []


def test_a_fact_that_must_be_known_is_named_before_anything_is_sent() -> None:
    open_facts = [found.said for found in lint.lint(notices.read("first_notice"), texts.content()) if found.is_open]
    assert any(said.startswith("hotline is not known") for said in open_facts)
    assert any(said.startswith("notice_page is not known") for said in open_facts)


def test_the_checklist_has_fifteen_items() -> None:
    assert tuple(checklist.MEANS) == ITEMS


@pytest.mark.parametrize(
    ("part", "items"),
    [
        ("happened", {"N2", "N3", "N4"}),
        ("harm", {"N6"}),
        ("done", {"N7", "N10"}),
        ("steps", {"N9"}),
        ("reach", {"N8"}),
        ("genuine", {"N12"}),
        ("end", {"N13", "N14"}),
    ],
)
@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
def test_a_deleted_block_is_refused_with_its_items(language: str, part: str, items: set[str]) -> None:
    file = f"first_notice/{language}/full.txt"
    found = spoilt(f'{{% include "_parts/{language}/{part}.txt" %}}', "", file)
    assert found >= items
    assert "parity" in found


def test_the_block_of_a_persons_own_data_may_not_go() -> None:
    one = notices.read("first_notice")
    gone = re.sub(r"@ N5\n.*?(?=\{% include \"_parts/en/open)", "", one.sources[FIRST], flags=re.DOTALL)
    assert "N5" in rules(replace(one, digest="without N5", sources={**one.sources, FIRST: gone}))


def test_a_heading_without_words_carries_nothing() -> None:
    one = notices.read("first_notice")
    file = "_parts/en/harm.txt"
    assert "N6" in rules(replace(one, digest="bare heading", sources={**one.sources, file: "@ N6\n# What could happen\n\n@\n"}))


def test_a_notice_about_a_persons_data_cannot_ask_less_of_itself() -> None:
    one = notices.read("first_notice")
    assert "N6" in rules(
        replace(one, digest="asks nothing", items={"full": (), "short": ()}, sources={**one.sources, "_parts/en/harm.txt": "x"})
    )


@pytest.mark.parametrize(
    ("old", "new", "rule"),
    [
        ("This notice says", "Your data is safe. This notice says", "never"),
        ("This notice says", "Please don't worry. This notice says", "never"),
        ("This notice says", "We are OT&P. This notice says", "never"),
        ("This notice says", "Your diagnosis of cancer is private. This notice says", "N15"),
        ("This notice says", "Your card A123456(3) was there. This notice says", "N15"),
        ("This notice says", "Born on 3 May 1980. This notice says", "N15"),
        ("This notice says", "Sign up for a free trial. This notice says", "N15"),
        ("This notice says", "Go to https://larkmoor.example. This notice says", "N15"),
        ("This notice says", "Click here. This notice says", "N15"),
        ("This notice says", "It took 8 days. This notice says", "parity"),
        ("This notice says", "{{ facts.hotline_hours }} This notice says", "parity"),
        ("This notice says", "{% if held %}x{% endif %} This notice says", "parity"),
        ("This notice says", "{{ facts.nothing }} This notice says", "rendering"),
        ("This notice says", "{{ 1 / 0 }} This notice says", "rendering"),
        ("This notice says", "{% if %} This notice says", "rendering"),
        ("This notice says what happened,", "This notice says " + "what happened and then " * 9 + ",", "N11"),
    ],
)
def test_a_spoilt_sentence_is_found(old: str, new: str, rule: str) -> None:
    assert rule in spoilt(old, new)


def test_a_text_that_is_hard_to_read_is_found() -> None:
    hard = "Notwithstanding organisational responsibilities, unauthorised individuals accessed administrative infrastructure. "
    one = notices.read("retraction")
    file = "retraction/en/full.txt"
    assert "N11" in rules(replace(one, digest="hard", sources={**one.sources, file: one.sources[file] + "\n\n" + hard * 12}))


@pytest.mark.parametrize(
    ("language", "old", "new"), [("zh-Hant", "深感抱歉", "非常抱歉，请见谅"), ("zh-Hans", "非常抱歉", "深感抱歉，請見諒")]
)
def test_a_character_of_the_other_script_is_found(language: str, old: str, new: str) -> None:
    assert "N11" in spoilt(old, new, f"first_notice/{language}/full.txt")


@pytest.mark.parametrize(
    ("file", "old", "new", "rule"),
    [
        ("first_notice/en/sms.txt", "We are sorry.", "We’re sorry.", "sms"),
        ("first_notice/en/sms.txt", "We are sorry.", "We are sorry. " * 9, "sms"),
        ("first_notice/zh-Hant/sms.txt", "深感抱歉", "深感抱歉" * 12, "sms"),
        ("first_notice/en/sms.txt", "@ N1 N8 N9 N12\n", "", "N12"),
        ("first_notice/en/whatsapp.txt", "This is {{ facts.clinic_name }}.", "{{ facts.clinic_name }}.", "whatsapp"),
        (
            "first_notice/en/whatsapp.txt",
            "This is {{ facts.clinic_name }}.",
            "Hi {{ facts.clinic_name }} {{ facts.hotline }}",
            "whatsapp",
        ),
        ("first_notice/en/whatsapp.txt", "This is", "{% if held %}This{% else %}That{% endif %} is", "parity"),
        ("first_notice/en/whatsapp.txt", "This is", "This is " + "very " * 200, "rendering"),
        ("first_notice/en/subject.txt", "a cyberattack", "{{ personal.name }}, a cyberattack", "subject"),
        ("first_notice/en/subject.txt", "a cyberattack", "a cyberattack " * 5, "subject"),
        ("_layout/email.html", "<body>", "<body><img src='https://x.example/pixel.gif'>", "html"),
    ],
)
def test_what_a_channel_does_not_take_is_found(file: str, old: str, new: str, rule: str) -> None:
    assert rule in spoilt(old, new, file)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("safe_contact/en/full.txt", "something that concerns", "your health records, which concern"),
        ("safe_contact/en/subject.txt", "A message for you", "About the data breach"),
        ("safe_contact/zh-Hant/sms.txt", "請在獨處時", "診所請你在獨處時"),
        ("safe_contact/zh-Hans/sms.txt", "请在独处时", "资料外泄，请在独处时"),
    ],
)
def test_a_safe_notice_that_tells_what_it_is_about_is_refused(file: str, old: str, new: str) -> None:
    assert "never" in spoilt(old, new, file, "safe_contact")


def test_a_safe_notice_that_names_the_clinic_is_refused() -> None:
    found = spoilt("{{ facts.neutral_name }}", "{{ facts.clinic_name }}", "safe_contact/en/full.txt", "safe_contact")
    assert "neutral" in found


def test_a_step_that_one_language_lacks_is_found() -> None:
    lacking = notices.changed("retraction", "retraction/zh-Hant/full.txt", "3. 對突如其來", "對突如其來")
    assert [where for where, _ in parity.differences(lacking)] == ["zh-Hant full.txt"]


def test_a_category_that_one_language_lacks_is_found() -> None:
    lacking = notices.changed("guardian", "_parts/zh-Hans/held.txt", '{% if "payment" in held %}', '{% if "insurance" in held %}')
    assert [where for where, _ in parity.differences(lacking)] == ["zh-Hans full.txt"]


def test_a_fact_that_holds_an_identity_number_is_refused_wherever_it_is_printed() -> None:
    content = notices.with_fact("new_findings", {one.value: "A123456(3)" for one in Language})
    assert rules(notices.read("supplementary_notice"), content) == {"N15"}


def each_chinese() -> Iterator[tuple[str, Language, str]]:
    for name, language, way in notices.each():
        if language is not Language.EN:
            read = notices.shared(name, language, way)
            words = "\n".join(line for block in read.blocks for line in block.lines if "English:" not in line) or read.text
            yield name, language, words


def test_chinese_has_its_own_punctuation_and_the_words_of_its_place() -> None:
    hant = r"短信|信息(?!科技)|視頻|網銀|賬號|登錄|郵箱|質量|默認|身分證|后|里(?=面)|您"
    hans = r"电邮|短讯|致电|覆诊|诊症|手提电话|转账卡|你|帐户|帐号"
    for name, language, words in each_chinese():
        assert re.findall(r"[\u4e00-\u9fff][,;:?!()]|[,;:?!()][\u4e00-\u9fff]", words) == [], name
        assert re.findall(hant if language is Language.ZH_HANT else hans, words) == [], name


def test_it_says_sorry_in_the_first_words() -> None:
    sorry = {Language.EN: r"(?i)sorry", Language.ZH_HANT: "抱歉", Language.ZH_HANS: "抱歉"}
    for name, language, way in notices.each():
        if name in ("first_notice", "supplementary_notice", "retraction", "could_not_reach_you", "guardian", "next_of_kin"):
            assert re.search(sorry[language], notices.filled(name, language, way).text[:140]), (name, language, way)
