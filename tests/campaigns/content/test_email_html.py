"""The HTML of a notice: shown the same by Outlook and Gmail, fetching nothing, following nobody."""

from __future__ import annotations

import re

import pytest

from bot.base.languages import Language
from bot.patients.models import Way
from tests.campaigns.content import notices
from tests.campaigns.content.test_personal import Tags

PAGES = [(name, language) for name, language, way in notices.each() if way is Way.EMAIL]
GMAIL_CLIPS_AT = 102_000


@pytest.mark.parametrize(("name", "language"), PAGES)
def test_nothing_is_fetched_linked_or_run(name: str, language: Language) -> None:
    page = notices.filled(name, language).html
    assert set(Tags(page).seen) <= {
        *("html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td", "h1", "h2", "p", "br")
    }
    assert re.findall(r"src=|href=|url\(|@import|@font-face|javascript:|http(?!://www\.w3\.org/1999/xhtml)", page) == []
    assert re.findall(r"\son[a-z]+=", page) == []


@pytest.mark.parametrize(("name", "language"), PAGES)
def test_it_says_in_which_language_it_is(name: str, language: Language) -> None:
    page = notices.filled(name, language).html
    assert f'<html lang="{language.value}"' in page
    assert re.search(rf'<td[^>]* lang="{language.value}"', page)


@pytest.mark.parametrize(("name", "language"), PAGES)
def test_styles_stand_in_the_elements_and_only_screens_differ_in_the_head(name: str, language: Language) -> None:
    page = notices.filled(name, language).html
    [styles] = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    outside = re.sub(r"@media[^{]*\{(?:[^{}]|\{[^{}]*\})*\}", "", styles)
    assert outside.strip() == ""
    assert "prefers-color-scheme: dark" in styles
    assert not [one for one in re.findall(r"<(?:p|h1|h2)\b[^>]*>", page) if "style=" not in one]
    assert "position:" not in page
    assert "float:" not in page
    assert "flex" not in page


def test_outlook_gets_its_width_and_gmail_the_whole() -> None:
    for name, language in PAGES:
        page = notices.filled(name, language).html
        assert "<!--[if mso]>" in page
        assert len(page.encode()) < GMAIL_CLIPS_AT


def test_dark_and_light_have_contrast() -> None:
    page = notices.filled("first_notice").html
    light = (("#1c2326", "#ffffff"), ("#12323d", "#ffffff"), ("#1c2326", "#eef3f4"), ("#1f4e5f", "#ffffff"))
    dark = (("#e7ebec", "#1d2427"), ("#cfe3ea", "#1d2427"), ("#e7ebec", "#28333a"), ("#7fb4c4", "#1d2427"))
    for ink, paper in (*light, *dark):
        assert ink in page
        assert paper in page
        assert contrast(ink, paper) >= 7 or (ink in ("#7fb4c4", "#1f4e5f") and contrast(ink, paper) >= 4.5)


def contrast(ink: str, paper: str) -> float:
    high, low = sorted((_luminance(ink), _luminance(paper)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_nothing_personal_stands_beside_the_subject_in_a_mailbox() -> None:
    for name, language in PAGES:
        told = notices.shared(name, language)
        [first] = re.findall(r'<div class="hidden"[^>]*>(.*?)</div>', told.html, re.DOTALL)
        assert told.nonce not in first
        assert len(first) <= 200
    assert "We are very sorry." in notices.shared("guardian").html.partition("</div>")[0]
