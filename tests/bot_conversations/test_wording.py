"""Wordings: the right text by language and channel, facts in the language's own form, and nothing that runs."""

from __future__ import annotations

from typing import Any

import pytest

from bot.base.errors import NotPublished
from bot.base.languages import Language
from bot.conversations.speaking.wording import label, render
from tests.people import small_content


def content_with(**texts: str) -> dict[str, Any]:
    content = small_content(
        facts={
            "hotline": {"value": None, "as_of": None},
            "noticed_on": {"value": {"date": "2023-05-04"}, "as_of": {"date": "2023-05-08"}},
            "clinics": {"value": {"en": "Central", "zh-Hant": "中環"}, "as_of": {"date": "2023-05-08"}},
            "held": {"value": ["name", "address"], "as_of": {"date": "2023-05-08"}},
            "patients": {"value": 100000, "as_of": {"date": "2023-05-08"}},
        }
    )
    content["wordings"]["tried"] = {"level": "public", "label": {}, "next": [], "texts": {}}
    for language in Language:
        if language.value.replace("-", "_") in texts:
            content["wordings"]["tried"]["texts"][language.value] = {"text": texts[language.value.replace("-", "_")]}
    content["wordings"]["not_known_yet"]["texts"]["en"] = {"text": "not known yet"}
    content["wordings"]["not_known_yet"]["texts"]["zh-Hant"] = {"text": "暫時未知"}
    return content


def said(content: dict[str, Any], language: Language, channel: str = "web") -> str:
    return render(content, "tried", language, channel, {}).text


def test_a_missing_fact_is_said_to_be_not_known_in_the_language() -> None:
    content = content_with(en="Call {{ facts.hotline }}.", zh_Hant="熱線：{{ facts.hotline }}。")
    assert said(content, Language.EN) == "Call not known yet."
    assert said(content, Language.ZH_HANT) == "熱線：暫時未知。"


def test_a_text_can_ask_whether_a_fact_is_known() -> None:
    content = content_with(en="{% if facts.hotline.known %}Call us.{% else %}Write to us.{% endif %}")
    assert said(content, Language.EN) == "Write to us."


@pytest.mark.parametrize(
    ("language", "day"),
    [
        (Language.EN, "4 May 2023"),
        (Language.ZH_HANT, "2023年5月4日"),
        (Language.ZH_HANS, "2023年5月4日"),
        (Language.TL, "Mayo 4, 2023"),
        (Language.ID, "4 Mei 2023"),
    ],
)
def test_a_date_is_written_as_the_language_writes_it(language: Language, day: str) -> None:
    texts = {each.value.replace("-", "_"): "{{ facts.noticed_on }}" for each in Language}
    assert said(content_with(**texts), language) == day


def test_values_lists_and_numbers_are_put_in_the_language() -> None:
    content = content_with(en="{{ facts.clinics }}: {{ facts.held }}, {{ facts.patients }}", zh_Hant="{{ facts.clinics }}")
    assert said(content, Language.EN) == "Central: name and address, 100,000"
    assert said(content, Language.ZH_HANT) == "中環"


def test_sms_gets_the_short_text_and_the_others_the_long_one() -> None:
    content = small_content()
    assert render(content, "apology", Language.EN, "sms", {"case_number": "1"}).text == "<apology short>"
    assert render(content, "apology", Language.EN, "whatsapp", {"case_number": "1"}).text == "<apology en 1>"


def test_without_a_text_in_the_language_there_is_english_with_a_note() -> None:
    content = content_with(en="Only English.")
    assert said(content, Language.TL) == "<english_only_note tl>\n\nOnly English."


@pytest.mark.parametrize(
    "hostile",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ facts.__class__ }}",
        "{{ facts.hotline._fact }}",
        "{{ facts.hotline.__init__.__globals__ }}",
        "{{ no_such_name }}",
        "{{ facts.no_such_fact }}",
        "{% for i in range(10**9) %}{% endfor %}",
        "{% include 'x' %}",
        "{{",
    ],
)
def test_a_text_that_reaches_for_more_than_facts_is_not_said(hostile: str) -> None:
    with pytest.raises(NotPublished):
        said(content_with(en=hostile), Language.EN)


def test_a_name_nobody_published_is_an_error() -> None:
    with pytest.raises(NotPublished, match="no_such_name"):
        render(small_content(), "no_such_name", Language.EN, "web", {})
    with pytest.raises(NotPublished):
        label(small_content(), "no_such_name", Language.EN)
