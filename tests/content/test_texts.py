"""What every text must be, whoever wrote it: complete, honest when facts are missing, the same in all languages."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import Any

import pytest

from bot.base.languages import Language
from bot.base.text.han import ONLY_SIMPLIFIED, ONLY_TRADITIONAL
from tests.content import texts
from tests.content.texts import Text

ALL = texts.texts()
LABELS = {name: answer["label"] for name, answer in texts.content()["wordings"].items() if answer["label"]}
LABEL_LIMIT = 24  # characters of a WhatsApp list row's title


@pytest.mark.parametrize("text", ALL, ids=str)
def test_a_text_renders_with_every_fact_known(text: Text) -> None:
    said = texts.rendered(text, texts.with_all_facts())
    assert said
    assert "{" not in said
    assert "None" not in said


@pytest.mark.parametrize("text", ALL, ids=str)
def test_a_text_renders_with_no_fact_known(text: Text) -> None:
    said = texts.rendered(text, texts.with_no_facts())
    assert said
    assert "{" not in said
    assert "None" not in said


@pytest.mark.parametrize("text", [text for text in ALL if "{{ facts." in text.source], ids=str)
def test_a_missing_fact_is_said_to_be_unknown(text: Text) -> None:
    outside = re.sub(r"{%.*?%}.*?{% endif %}", "", text.source)
    if "{{ facts." in outside:
        assert texts.not_known(text.language) in texts.rendered(text, texts.with_no_facts())


@pytest.mark.parametrize("text", [text for text in ALL if "{% if" in text.source], ids=str)
def test_a_text_that_asks_whether_a_fact_is_known_says_something_either_way(text: Text) -> None:
    for known, unknown in re.findall(r"{% if .*? %}(.*?){% else %}(.*?){% endif %}", text.source):
        assert known.strip()
        assert unknown.strip()
    assert text.source.count("{% if") == text.source.count("{% else %}") == text.source.count("{% endif %}")


def test_every_open_fact_has_a_sample_value() -> None:
    assert texts.with_all_facts()


def test_every_wording_has_both_kinds_of_text() -> None:
    kinds = defaultdict(set)
    for text in ALL:
        kinds[text.name, text.language].add(text.kind)
    assert {key for key, found in kinds.items() if found != {"text", "short"}} == set()


@pytest.mark.parametrize("name", texts.content()["wordings"])
def test_a_wording_exists_in_the_languages_it_needs(name: str) -> None:
    flows = {
        wording for path, document in texts.files().items() if path.parent.name == "flows" for wording in document["answers"]
    }
    needed = set(Language) if name in flows or name in texts.IN_FIVE_LANGUAGES else set(Language) - {Language.TL, Language.ID}
    assert {text.language for text in ALL if text.name == name} >= needed


@pytest.mark.parametrize("kind", ["text", "short"])
@pytest.mark.parametrize("name", [name for name in texts.content()["wordings"] if name != "english_only_note"])
def test_all_languages_ask_for_the_same_facts_and_numbers(name: str, kind: str) -> None:
    asked = {text.language: text.placeholders for text in ALL if text.name == name and text.kind == kind}
    assert {language: found for language, found in asked.items() if found != asked[Language.EN]} == {}


@pytest.mark.parametrize("text", ALL, ids=str)
def test_no_number_is_typed_into_a_text(text: Text) -> None:
    without_steps = re.sub(r"^\d\. ", "", text.bare, flags=re.MULTILINE)
    assert re.findall(r"[0-9０-９]", without_steps) == []


@pytest.mark.parametrize("name", texts.content()["wordings"])
def test_all_languages_have_the_same_steps(name: str) -> None:
    steps = {t.language: re.findall(r"^\d\. ", t.bare, flags=re.MULTILINE) for t in ALL if t.name == name and t.kind == "text"}
    numbers = [f"{number}. " for number in range(1, len(steps[Language.EN]) + 1)]
    assert {language: found for language, found in steps.items() if found != numbers} == {}


@pytest.mark.parametrize("section", ["facts", "contacts"])
def test_the_numbers_in_a_fact_are_the_same_in_all_languages(section: str) -> None:
    for name, fact in texts.with_all_facts()[section].items():
        value: Any = fact["value"]
        if isinstance(value, dict) and "date" not in value:
            assert len({tuple(re.findall(r"\d+", str(words))) for words in value.values()}) == 1, name


@pytest.mark.parametrize("text", ALL, ids=str)
def test_a_text_says_nothing_that_must_never_be_said(text: Text) -> None:
    patterns = texts.forbidden()
    said = texts.rendered(text, texts.with_all_facts())
    for pattern in (*patterns["any"], *patterns[text.language.value]):
        assert not re.search(pattern, said, re.IGNORECASE | re.MULTILINE), pattern


def test_every_never_say_pattern_is_a_regular_expression_for_a_known_language() -> None:
    patterns = texts.forbidden()
    assert set(patterns) == {"any", *(language.value for language in Language)}
    for pattern in (pattern for found in patterns.values() for pattern in found):
        re.compile(pattern)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "Rest assured, your data is safe."),
        ("en", "You are not affected."),
        ("en", "Please don't worry about it"),
        ("en", "There is no risk to you"),
        ("en", "They took only basic data"),
        ("en", "You will be compensated"),
        ("zh-Hant", "你的資料很安全"),
        ("zh-Hant", "你沒有受影響"),
        ("zh-Hant", "請毋須擔心"),
        ("zh-Hans", "您没有受影响"),
        ("zh-Hans", "请放心，没有风险"),
        ("tl", "Hindi kayo apektado"),
        ("tl", "Huwag po kayong mag-alala"),
        ("id", "Data Anda aman"),
        ("id", "Anda tidak terdampak"),
    ],
)
def test_the_never_say_patterns_find_what_they_are_for(language: str, said: str) -> None:
    assert any(re.search(pattern, said, re.IGNORECASE) for pattern in texts.forbidden()[language])


@pytest.mark.parametrize("text", [text for text in ALL if text.name in texts.EMERGENCIES], ids=str)
def test_an_emergency_has_the_number_to_call_in_its_first_line(text: Text) -> None:
    contacts = texts.content()["contacts"]
    number = contacts["antiscam_line" if text.name == "phishing_clicked" else "emergency"]["value"]
    first = texts.rendered(text, texts.with_no_facts()).splitlines()[0]
    assert number in first[:200]


@pytest.mark.parametrize("text", texts.texts(Language.ZH_HANT), ids=str)
def test_traditional_chinese_holds_no_simplified_character(text: Text) -> None:
    assert set(texts.rendered(text, texts.with_all_facts())) & set(ONLY_SIMPLIFIED) == set()
    assert re.findall(r"短信|信息(?!科技)|視頻|網銀|賬號|登錄|郵箱|質量|默認|軟件包|身分證|后|里(?=面)|您", text.source) == []


@pytest.mark.parametrize("text", texts.texts(Language.ZH_HANS), ids=str)
def test_simplified_chinese_holds_no_traditional_character_or_hong_kong_term(text: Text) -> None:
    assert set(texts.rendered(text, texts.with_all_facts())) & set(ONLY_TRADITIONAL) == set()
    assert re.findall(r"电邮|短讯|致电|覆诊|诊症|手提电话|转账卡|你|帐户|帐号", text.source) == []


@pytest.mark.parametrize("text", texts.texts(Language.ZH_HANT, Language.ZH_HANS), ids=str)
def test_chinese_uses_chinese_punctuation(text: Text) -> None:
    assert re.findall(r"[\u4e00-\u9fff][,;:?!()]|[,;:?!()][\u4e00-\u9fff]", text.source) == []


@pytest.mark.parametrize("name", LABELS)
def test_a_label_is_short_and_in_every_language(name: str) -> None:
    assert set(LABELS[name]) == {language.value for language in Language}
    assert {words for words in LABELS[name].values() if len(words) > LABEL_LIMIT} == set()


def test_every_topic_has_a_label_because_it_may_be_offered() -> None:
    topics = {intent for document in texts.files().values() for intent in document.get("intents", [])}
    assert topics - set(LABELS) == set()


def test_buttons_lead_to_something_that_has_a_topic() -> None:
    topics = {intent for document in texts.files().values() for intent in document.get("intents", [])}
    for name, answer in texts.content()["wordings"].items():
        assert set(answer["next"]) <= topics, name
        assert len(answer["next"]) <= 3, name
        assert name not in answer["next"]


@pytest.mark.parametrize(
    "name",
    [
        *("what_happened", "data_types", "am_i_affected", "financial_data", "id_numbers_exposed", "protect_myself"),
        *("incident_dates", "clinics_affected", "data_stolen_status", "attacker_identity", "encryption_security", "ransom"),
        *("dark_web", "late_notice", "notification_status", "former_patient_retention", "investigation_timeline"),
        *("is_it_safe_now", "authorities_notified", "record_integrity", "distress", "sensitive_records"),
    ],
)
@pytest.mark.parametrize(
    ("language", "sorry"),
    [
        (Language.EN, "sorry"),
        (Language.ZH_HANT, "抱歉"),
        (Language.ZH_HANS, "抱歉"),
        (Language.TL, "aumanhin"),
        (Language.ID, "maaf"),
    ],
)
def test_an_answer_about_the_incident_says_sorry_first(name: str, language: Language, sorry: str) -> None:
    for text in ALL:
        if (text.name, text.language) == (name, language):
            first = texts.rendered(text, texts.with_all_facts())[:90]
            assert sorry in first


def test_the_collection_statement_tells_what_the_law_asks() -> None:
    # PDPO, Data Protection Principle 1(3): purpose, recipients, whether voluntary, access and correction, to whom.
    needed = [
        "facts.clinic_name",
        "facts.chat_readers",
        "facts.retention_of_chat",
        "facts.privacy_officer_title",
        "facts.postal_address",
    ]
    statement = [text for text in ALL if text.name == "collection_statement" and text.kind == "text"]
    assert len(statement) == len(Language)
    for text in statement:
        assert [fact for fact in needed if f"{{{{ {fact} }}}}" not in text.source] == [], text
