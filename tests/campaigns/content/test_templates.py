"""Templates as files: read whole, refused when incomplete, known by a digest that covers all they say."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.base.errors import BadInput
from bot.campaigns.content import template
from bot.patients.models import Way
from tests.campaigns.content import notices

SHIPPED = {
    *("first_notice", "supplementary_notice", "retraction", "could_not_reach_you", "guardian", "next_of_kin", "safe_contact"),
    *("case_update", "contact_changed", "one_time_code", "staff_page"),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped templates that may be spoilt."""
    return Path(shutil.copytree(template.FOLDER, tmp_path / "notifications"))


def test_every_notice_is_there() -> None:
    assert set(template.read_all()) == SHIPPED


def test_a_letter_or_an_e_mail_goes_only_where_it_may() -> None:
    assert Way.WHATSAPP not in notices.read("safe_contact").channels
    assert notices.read("next_of_kin").channels == (Way.EMAIL, Way.LETTER)
    assert [name for name in notices.NAMES if notices.read(name).internal] == ["staff_page"]


@pytest.mark.parametrize("name", ["nobody", "../first_notice", "_parts", "", "first_notice/en"])
def test_an_unknown_name_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(BadInput, match="first_notice"):
        template.read(name)


def test_a_missing_file_of_one_language_is_named(folder: Path) -> None:
    (folder / "first_notice" / "zh-Hant" / "sms.txt").unlink()
    with pytest.raises(BadInput, match=r"zh-Hant/sms\.txt is missing"):
        template.read("first_notice", folder)


@pytest.mark.parametrize("layout", ["_layout/email.html", "_layout/letter.typ"])
def test_a_missing_layout_is_named(folder: Path, layout: str) -> None:
    (folder / layout).unlink()
    with pytest.raises(BadInput, match=layout):
        template.read("first_notice", folder)


def test_an_empty_file_counts_as_missing(folder: Path) -> None:
    (folder / "first_notice" / "en" / "full.txt").write_text("  \n")
    with pytest.raises(BadInput, match=r"en/full\.txt is missing"):
        template.read("first_notice", folder)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('purpose = "', 'porpoise = "', "porpoise"),
        ('"email", ', '"pigeon", ', "pigeon"),
        ('"N14"', '"N99"', "N99"),
        ("[places]", "[places]\nNAME = 'x'", "NAME"),
        ("[places]", "[places", "TOML"),
        ('"standard", ', "", "standard"),
        ('channels = ["email"', 'channels = ["phone"', "phone"),
    ],
)
def test_a_mistake_in_its_description_is_named(folder: Path, old: str, new: str, told: str) -> None:
    path = folder / "first_notice" / "template.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(BadInput, match=told):
        template.read("first_notice", folder)


def test_a_file_in_another_encoding_is_refused(folder: Path) -> None:
    (folder / "first_notice" / "zh-Hant" / "sms.txt").write_bytes("抱歉".encode("big5"))
    with pytest.raises(BadInput, match="UTF-8"):
        template.read("first_notice", folder)


@pytest.mark.parametrize("file", ["first_notice/en/sms.txt", "_parts/zh-Hans/steps.txt", "_layout/letter.typ"])
def test_every_changed_word_makes_a_new_version(folder: Path, file: str) -> None:
    before = template.read("first_notice", folder)
    (folder / file).write_text((folder / file).read_text() + "x")
    assert template.read("first_notice", folder).digest != before.digest


def test_another_notice_keeps_its_version(folder: Path) -> None:
    before = template.read("retraction", folder)
    (folder / "first_notice" / "en" / "sms.txt").write_text("other")
    assert template.read("retraction", folder).digest == before.digest


@pytest.mark.parametrize("name", notices.NAMES)
def test_a_stored_template_is_the_same_template(name: str) -> None:
    one = notices.read(name)
    assert template.from_canonical(one.canonical()) == one


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"name": "x", "files": {}}', "null"])
def test_what_is_no_stored_template_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        template.from_canonical(text)
