"""Which language a text is in, and how a patient chooses one. The samples were written for this test."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.base.languages import CHINESE, Language, chosen, identify

EN, HANT, HANS, TL, ID = Language

SAMPLES = {
    EN: """
        Which of your clinics were hit?
        I would like a copy of the letter you sent to my old address
        do I need a new passport
        who can I talk to about my test results
        my daughter was seen in Repulse Bay last winter, is she on the list
        pls stop sending me newsletters
        The hotline is engaged all day
        will you tell my insurance company
        Please explain what was taken and when.
        can i book for thursday morning
        mandarin oranges, is that a code name
        has anyone been arrested yet
        """,
    HANT: """
        請問我需要更換身份證嗎？
        你哋診所係咪俾人入侵咗
        我收唔到你哋封電郵喎
        可唔可以改期覆診
        點樣可以攞返啲報告
        貴診所何時恢復服務
        我想知道有哪些資料外洩
        HIV report有冇流出
        個app login唔到呀
        阿媽冇email，點通知佢
        """,
    HANS: """
        你们的系统什么时候恢复
        我没有收到任何通知
        请问我的资料有没有泄露
        孩子的疫苗记录还在吗
        怎么联系你们的客服
        我想要一份病历复印件
        这个短信是真的吗
        银行卡信息会不会被盗
        """,
    TL: """
        Kailangan ko po bang palitan ang pasaporte ko?
        Hindi ko po natanggap ang sulat ninyo
        Paano ko malalaman kung kasama ako sa mga naapektuhan
        Nasaan po ang pinakamalapit na clinic
        Sino po ang pwede kong kausapin tungkol dito
        Gusto ko pong malaman kung ligtas ang records ng alaga ko
        Magkano po ang kopya ng medical report
        May nakakuha po ba ng number ko
        """,
    ID: """
        Apakah saya harus mengganti paspor?
        Saya belum menerima surat dari klinik
        Bagaimana saya tahu kalau data saya ikut dicuri
        Siapa yang bisa saya hubungi soal ini
        Kapan sistemnya kembali normal
        Tolong kirim salinan hasil pemeriksaan saya
        Berapa biaya untuk salinan rekam medis
        Majikan saya tidak boleh tahu hasilnya
        """,
}
LINES = [(language, line.strip()) for language, block in SAMPLES.items() for line in block.strip().splitlines()]


def test_at_least_97_of_100_samples_are_recognised_from_nothing() -> None:
    wrong = [(text, identify(text, None)) for language, text in LINES if identify(text, None) is not language]
    assert len(wrong) <= len(LINES) * 0.03, wrong


def test_at_least_95_of_100_samples_change_a_conversation_in_another_language() -> None:
    cases = [(language, text, current) for language, text in LINES for current in Language if current is not language]
    wrong = [case for case in cases if identify(case[1], case[2]) is not case[0]]
    assert len(wrong) <= len(cases) * 0.05, wrong


def test_no_sample_leaves_its_own_language() -> None:
    assert [text for language, text in LINES if identify(text, language) is not language] == []


@pytest.mark.parametrize("current", Language)
@pytest.mark.parametrize("text", ["ok", "OTP", "HKID?", "Central", "app", "xyz"])
def test_a_text_too_short_to_tell_keeps_the_language(text: str, current: Language) -> None:
    assert identify(text, current) is current


@pytest.mark.parametrize(
    ("text", "language"), [("Salamat po", TL), ("Selamat pagi", ID), ("thank you", EN), ("terima kasih", ID)]
)
def test_a_greeting_that_only_one_language_has_tells(text: str, language: Language) -> None:
    assert identify(text, HANT) is language


@pytest.mark.parametrize("text", ["", "   ", "123456", "😀👍🏽", "?!?", "2827 2827", "\u200b"])
def test_a_text_without_words_has_no_language(text: str) -> None:
    assert identify(text, EN) is None


@pytest.mark.parametrize(("current", "expected"), [(None, HANT), (EN, HANT), (HANT, HANT), (HANS, HANS)])
def test_characters_of_both_scripts_keep_the_chinese_that_was(current: Language | None, expected: Language) -> None:
    assert identify("你好", current) is expected


def test_written_cantonese_is_traditional_even_without_a_traditional_character() -> None:
    assert identify("佢喺唔喺度", HANS) is HANT


@pytest.mark.parametrize("current", Language)
@pytest.mark.parametrize("code", ["4YA7M-NGDA2", "ya4sa 2dan9", "A1-2-DAN.3", "ang7@dito.example"])
def test_the_letters_of_a_code_are_no_words(code: str, current: Language) -> None:
    assert identify(code, current) is current
    assert identify(f"My code is {code}, is it from you?", current) is Language.EN


@pytest.mark.parametrize("current", Language)
@pytest.mark.parametrize(
    "typed",
    [
        "may.ng@example.com",
        "ng.ka.po@example.com.hk",
        "lai.wah.lui@example.com",
        "siu.ming.yan@example.com",
        "https://www.example.hk/ang/mga/ito",
        "Ng Mei Yan",
        "Siu Ming Ng",
        "⟦reference⟧ ⟦email⟧",
    ],
)
def test_names_and_addresses_of_hong_kong_change_no_language(typed: str, current: Language) -> None:
    assert identify(typed, current) is current


def test_words_beside_an_address_tell_the_language() -> None:
    assert identify("saya kirim ke ng.ka.po@example.com", HANT) is ID
    assert identify("listahan ng pasyente", HANT) is TL
    assert identify("我電郵係ng.mei.yan@example.com", EN) is HANT


def test_an_english_sentence_with_a_chinese_name_is_english() -> None:
    assert identify("my name is 陳大文 and I would like to know whether I am affected", None) is EN


def test_a_cantonese_sentence_with_english_nouns_is_chinese() -> None:
    assert identify("部iPhone個app login唔到", EN) is HANT


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("English", EN),
        ("ENGLISH please", EN),
        ("英文", EN),
        (" e n g l i s h ", EN),
        ("中文", HANT),
        ("繁體", HANT),
        ("廣東話", HANT),
        ("轉中文 please", HANT),
        ("Cantonese!", HANT),
        ("zh-Hant", HANT),
        ("简体", HANS),
        ("簡體中文", HANS),
        ("普通话", HANS),
        ("Mandarin", HANS),
        ("Tagalog", TL),
        ("filipino po", TL),
        ("Bahasa Indonesia", ID),
        ("bahasa", ID),
        ("印尼文", ID),
        ("ｉｎｄｏｎｅｓｉａ", ID),
    ],
)
def test_a_patient_chooses_a_language_by_its_name(text: str, language: Language) -> None:
    assert chosen(text) is language


@pytest.mark.parametrize(
    "text", ["", "I speak English at home", "do you have a Chinese version of the notice", "中文版通告喺邊", "please"]
)
def test_a_name_inside_a_question_is_no_choice(text: str) -> None:
    assert chosen(text) is None


def test_every_language_has_a_name_of_its_own_by_which_it_can_be_chosen() -> None:
    assert [chosen(language.own_name) for language in Language] == list(Language)


def test_every_language_falls_back_to_itself_first_and_english_last() -> None:
    for language in Language:
        assert language.fallbacks[0] is language
        assert language.fallbacks[-1] is EN
    assert {HANT, HANS} == CHINESE


@given(st.text(st.characters(codec=None, exclude_categories=()), max_size=80), st.sampled_from([None, *Language]))
def test_no_text_can_break_it(text: str, current: Language | None) -> None:
    assert identify(text, current) in {None, *Language}
    chosen(text)
