"""Letters: what is printed, whether it can be printed everywhere, and what the envelope's window shows."""

from __future__ import annotations

import io
import re
from concurrent.futures import ThreadPoolExecutor

import pytest
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from bot.base.errors import BadInput, Misconfigured
from bot.base.languages import Language
from bot.campaigns.content import letter, press, template
from bot.patients.models import Way
from tests.campaigns.content import notices

ADDRESS = ("Chan Tai Man 陳大文", "Flat 12B, Tower 3", "18 Example Road", "Hong Kong")
LETTERS = [(name, language) for name, language, way in notices.each() if way is Way.LETTER]
MM = 72 / 25.4


def made(notice: str, language: Language = Language.EN, address: tuple[str, ...] = ADDRESS, **values: str) -> PdfReader:
    one = notices.read(notice)
    told = notices.shared(notice, language, Way.LETTER)
    return PdfReader(io.BytesIO(letter.pdf(one, told, {**one.places, **values}, address)))


def text(reader: PdfReader) -> str:
    return " ".join("".join(page.extract_text() for page in reader.pages).replace("\u00a0", " ").split())


def squeezed(words: str) -> str:
    return re.sub(r"\s+", "", words)


@pytest.mark.parametrize(("name", "language"), LETTERS)
def test_a_letter_has_one_or_two_pages_with_all_it_says(name: str, language: Language) -> None:
    reader = made(name, language)
    assert len(reader.pages) <= 2
    printed = squeezed(text(reader))
    read = notices.filled(name, language, Way.LETTER)
    assert [line for block in read.blocks for line in block.lines if squeezed(line) not in printed] == []
    assert notices.read(name).places["reference"] in printed
    assert [line for line in ADDRESS if squeezed(line) not in printed] == []


@pytest.mark.parametrize(("name", "language"), LETTERS)
def test_every_font_travels_with_the_letter(name: str, language: Language) -> None:
    reader = made(name, language)
    fonts = [font for page in reader.pages for font in _fonts(page["/Resources"])]
    assert fonts
    for font in fonts:
        descendant = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
        descriptor = descendant["/FontDescriptor"]
        assert any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3"))
        assert "NotoSansCJK" in str(descriptor["/FontName"])


def _fonts(resources: object) -> list[DictionaryObject]:
    held = resources.get_object() if hasattr(resources, "get_object") else resources
    assert isinstance(held, DictionaryObject)
    return [font.get_object() for font in held.get("/Font", DictionaryObject()).get_object().values()]


def test_the_page_is_a4_and_has_a_title_and_a_language() -> None:
    for language, tag in ((Language.EN, "en"), (Language.ZH_HANT, "zh")):
        reader = made("first_notice", language)
        assert [round(float(side) / MM) for side in reader.pages[0].mediabox[2:]] == [210, 297]
        assert reader.metadata is not None
        assert reader.metadata.title == notices.shared("first_notice", language, Way.LETTER).subject
        assert str(reader.trailer["/Root"]["/Lang"]).startswith(tag)  # for screen readers


@pytest.mark.parametrize("address", [ADDRESS, ("x" * 40, *("Line",) * 5), tuple("陳大文一二三" * 3 for _ in range(6))])
def test_the_window_shows_the_address_and_nothing_else(address: tuple[str, ...]) -> None:
    # A DL window shows, however the sheet slides, 20 to 100 by 55 to 79 mm, and at most 10 to 110 by 44 to 90 mm.
    reader = made("first_notice", address=address)
    inside, near = "", ""
    placed: list[tuple[str, float, float]] = []

    def visit(words: str, matrix: list[float], place: list[float], *_: object) -> None:
        x = place[4] * matrix[0] + matrix[4]
        y = place[5] * matrix[3] + matrix[5]
        placed.append((words, x / MM, 297 - y / MM))

    reader.pages[0].extract_text(visitor_text=visit)
    for words, x, y in placed:
        if 10 <= x <= 110 and 44 <= y <= 90:
            near += words
            inside += words if 20 <= x <= 100 and 55 <= y <= 79 else ""
    assert squeezed(near) == squeezed("".join(address))
    assert inside == near


def test_a_safe_letter_names_nobody_and_leads_nowhere() -> None:
    for language in template.LANGUAGES:
        reader = made("safe_contact", language)
        printed = text(reader)
        facts = notices.with_fact("hotline", "x")["facts"]
        assert facts["clinic_name"]["value"][language.value] not in printed + str(reader.metadata)
        assert "larkmoor" not in (printed + str(reader.metadata)).lower()
        assert facts["postal_address"]["value"][language.value] not in printed


@pytest.mark.parametrize(
    "words",
    ["#import sys", '#eval("1 + 1")', "*bold*", "= heading", "$x^2$", "#set page(width: 1mm)", "@ref", "<label>", "\\u{41}"],
)
def test_markup_in_a_name_or_an_address_is_printed_as_it_is(words: str) -> None:
    reader = made("first_notice", address=(words, "Hong Kong"), name=words)
    printed = squeezed(text(reader))
    assert squeezed(f"Dear {words},") in printed
    assert printed.count(squeezed(words)) >= 2


@pytest.mark.parametrize("address", [(), ("", " "), ("a",) * 7, ("a" * 61,)])
def test_an_address_that_does_not_fit_the_window_is_refused(address: tuple[str, ...]) -> None:
    with pytest.raises(BadInput, match="1 to 6 lines"):
        made("first_notice", address=address)


def test_a_notice_that_was_not_rendered_as_a_letter_is_refused() -> None:
    with pytest.raises(BadInput, match="not rendered as a letter"):
        letter.pdf(notices.read("first_notice"), notices.shared("first_notice"), {}, ADDRESS)


def test_a_missing_font_is_told_in_one_sentence_with_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(press, "FONTS", {**press.FONTS, Language.ZH_HANT: "No Such Sans"})
    with pytest.raises(Misconfigured, match=r"No Such Sans.*fonts-noto-cjk"):
        made("first_notice", Language.ZH_HANT)


def test_letters_made_at_the_same_time_get_their_own_address_each() -> None:
    names = [f"Person {sign}{sign}{sign}" for sign in "ABCDEFGHIJKL"]
    with ThreadPoolExecutor(4) as pool:
        readers = list(pool.map(lambda name: made("safe_contact", address=(name, "Hong Kong")), names))
    for name, reader in zip(names, readers, strict=True):
        assert [other for other in names if squeezed(other) in squeezed(text(reader))] == [name]


def test_the_same_letter_is_the_same_file() -> None:
    one, told = notices.read("first_notice"), notices.shared("first_notice", way=Way.LETTER)
    assert letter.pdf(one, told, one.places, ADDRESS) == letter.pdf(one, told, one.places, ADDRESS)
