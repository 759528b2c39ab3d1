"""One rendering for everybody who reads the same, and each reads only what concerns them."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations

import pytest

from bot.base.errors import BadInput, NotPublished
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.campaigns.content import segment, template
from bot.channels.segments import segments
from bot.patients.models import Category, Way
from tests.campaigns.content import notices
from tests.content import texts

SUBSETS = [frozenset(some) for size in range(len(Category) + 1) for some in combinations(Category, size)]
BEGINNINGS = {
    Language.EN: {
        Category.IDENTITY: "Name, sex and birth date.",
        Category.IDENTITY_DOCUMENT: "The number or a copy of an identity card",
        Category.CONTACT: "Contact details: addresses",
        Category.APPOINTMENT: "Visits and bookings.",
        Category.MEDICAL: "Medical records, such as",
        Category.PAYMENT: "Bills and payment details.",
        Category.INSURANCE: "Insurance details: policies",
    },
    Language.ZH_HANT: {
        Category.IDENTITY: "姓名、性別及出生日期。",
        Category.IDENTITY_DOCUMENT: "身份證、護照或其他證件的號碼",
        Category.CONTACT: "聯絡資料：地址",
        Category.APPOINTMENT: "求診及預約。",
        Category.MEDICAL: "醫療紀錄，例如",
        Category.PAYMENT: "帳單及付款資料。",
        Category.INSURANCE: "保險資料：保單",
    },
    Language.ZH_HANS: {
        Category.IDENTITY: "姓名、性别和出生日期。",
        Category.IDENTITY_DOCUMENT: "身份证、护照或其他证件的号码",
        Category.CONTACT: "联系方式：地址",
        Category.APPOINTMENT: "就诊和预约。",
        Category.MEDICAL: "病历，例如",
        Category.PAYMENT: "账单和付款资料。",
        Category.INSURANCE: "保险资料：保单",
    },
}
NO_RECORD = {Language.EN: "We hold no record yet", Language.ZH_HANT: "暫時未有紀錄", Language.ZH_HANS: "目前还没有记录"}


@pytest.mark.parametrize("language", template.LANGUAGES)
@pytest.mark.parametrize("name", ["first_notice", "supplementary_notice", "guardian"])
def test_each_subset_of_kinds_has_its_blocks_and_no_other(name: str, language: Language) -> None:
    assert len(SUBSETS) == 128
    for held in SUBSETS:
        text = notices.shared(name, language, Way.LETTER, held=held).text
        told = {category for category, words in BEGINNINGS[language].items() if f"* {words}" in text}
        assert told == held
        assert (NO_RECORD[language] in text) == (not held)


@pytest.mark.parametrize("name", ["retraction", "next_of_kin", "could_not_reach_you", "safe_contact"])
def test_a_notice_without_kinds_is_one_segment_whatever_was_held(name: str) -> None:
    assert notices.shared(name, held=[]).digest == notices.shared(name, held=[Category.MEDICAL]).digest


def test_the_order_in_which_kinds_are_given_changes_nothing() -> None:
    assert notices.shared("first_notice", held=list(Category)) == notices.shared("first_notice", held=reversed(Category))


def test_who_shares_an_address_is_told_for_whom_it_is() -> None:
    alone, among = (notices.filled("first_notice", variant=one).text for one in ("standard", "shared"))
    assert "for Chan Tai Man alone" in among
    assert "More than one person" not in alone


@pytest.mark.parametrize(
    ("wanted", "got"), [(Language.TL, Language.EN), (Language.ID, Language.EN), (Language.ZH_HANS, Language.ZH_HANS)]
)
def test_who_reads_a_language_without_templates_gets_the_nearest(wanted: Language, got: Language) -> None:
    assert notices.shared("first_notice", wanted).language is got


def test_a_way_or_a_variant_that_the_notice_has_not_got_is_refused() -> None:
    with pytest.raises(BadInput, match="does not go by whatsapp"):
        notices.shared("safe_contact", way=Way.WHATSAPP)
    with pytest.raises(BadInput, match="no variant"):
        notices.shared("first_notice", variant="loud")


def test_an_undeclared_place_refuses_the_whole_segment() -> None:
    spoilt = notices.changed("first_notice", "first_notice/en/sms.txt", "personal.reference", "personal.diagnosis")
    with pytest.raises(NotPublished, match="diagnosis"):
        segment.render_segment(spoilt, texts.with_all_facts(), Language.EN, Way.SMS, edition=notices.EDITION)


def test_an_unknown_fact_is_an_error_and_never_a_gap() -> None:
    spoilt = notices.changed("first_notice", "first_notice/en/sms.txt", "facts.hotline", "facts.hotlin")
    with pytest.raises(NotPublished, match="hotlin"):
        segment.render_segment(spoilt, texts.with_all_facts(), Language.EN, Way.SMS, edition=notices.EDITION)


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ cycler.__init__.__globals__.os.environ }}",
        "{% include '/etc/passwd' %}",
        "{% import os %}",
        "{{ wording.__globals__ }}",
        "{{ facts.__class__ }}",
        "{{ facts.hotline._fact }}",
        "{% for one in range(999999999) %}x{% endfor %}",
    ],
)
def test_a_template_gets_out_of_its_sandbox_nowhere(attack: str) -> None:
    spoilt = notices.changed("first_notice", "first_notice/en/sms.txt", "We are sorry.", attack)
    with pytest.raises(NotPublished):
        segment.render_segment(spoilt, texts.with_all_facts(), Language.EN, Way.SMS, edition=notices.EDITION)


@pytest.mark.parametrize(("name", "language", "way"), notices.each())
def test_every_notice_renders_while_no_fact_is_known_and_says_so(name: str, language: Language, way: Way) -> None:
    told = notices.shared(name, language, way, content=texts.with_no_facts())
    assert "None" not in told.text
    facts = [one for one in told.variables if not one.startswith("\ue002")]
    if way is Way.WHATSAPP:
        assert texts.not_known(language) in facts
    elif not notices.read(name).internal:
        assert texts.not_known(language) in told.text


@pytest.mark.parametrize(("name", "language"), [(name, one) for name, one, way in notices.each() if way is Way.SMS])
def test_an_sms_takes_at_most_two_segments(name: str, language: Language) -> None:
    read = notices.filled(name, language, Way.SMS)
    assert read.segments == segments(read.text)
    assert read.segments.count <= 2
    assert (read.segments.encoding == "GSM-7") == (language is Language.EN)


@pytest.mark.parametrize(("name", "language"), [(name, one) for name, one, way in notices.each() if way is Way.WHATSAPP])
def test_a_whatsapp_text_is_fixed_and_its_variables_are_numbered(name: str, language: Language) -> None:
    told = notices.shared(name, language, Way.WHATSAPP)
    other = notices.shared(name, language, Way.WHATSAPP, content=notices.with_fact("hotline", "2999 9999"))
    assert told.text == other.text  # what was approved beforehand does not hang on facts
    numbers = [f"{{{{{place}}}}}" for place in range(1, len(told.variables) + 1)]
    assert [number for number in numbers if number not in told.text] == []
    read = notices.filled(name, language, Way.WHATSAPP)
    assert len(segment.as_read(read.text, read.variables)) <= segment.WHATSAPP_MOST
    assert "{{" not in segment.as_read(read.text, read.variables)


def test_a_whatsapp_text_that_becomes_too_long_is_refused() -> None:
    told = notices.shared("first_notice", way=Way.WHATSAPP, content=notices.with_fact("notice_page", "x" * 900))
    with pytest.raises(BadInput, match="too long"):
        segment.filled(told, notices.read("first_notice").places)


def test_the_digest_is_the_same_in_every_process() -> None:
    read = "from tests.campaigns.content import notices; told = notices.shared('first_notice')"
    code = f"{read}; print(told.digest, told.nonce)"
    seen = {
        subprocess.run(
            [sys.executable, "-c", code], cwd=REPOSITORY, env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1


def test_a_changed_fact_changes_the_digest() -> None:
    assert (
        notices.shared("first_notice").digest != notices.shared("first_notice", content=notices.with_fact("hotline", "1")).digest
    )


def test_one_text_has_one_source() -> None:
    for name in ("one_time_code", "contact_changed"):
        for language in template.LANGUAGES:
            values = dict(notices.read(name).places)
            said = {
                way: texts.wording.render(texts.with_all_facts(), name, language, channel, values).text
                for way, channel in ((Way.SMS, "sms"), (Way.EMAIL, "email"))
            }
            assert notices.filled(name, language, Way.SMS).text == said[Way.SMS]
            assert notices.filled(name, language, Way.EMAIL).text.split() == said[Way.EMAIL].split()
            subject = texts.wording.render(texts.with_all_facts(), f"{name}_subject", language, "email", {}).text
            assert notices.filled(name, language, Way.EMAIL).subject == subject
