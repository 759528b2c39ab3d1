"""What is said of a text that somebody received: a true reference, links, look-alikes, numbers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from bot.base.database import Database
from bot.base.vault import BlindIndex
from bot.deeds.addresses import Official, foreign_numbers, judged_addresses
from bot.deeds.checking import findings
from bot.patients import references
from tests.growth import grows_like_its_input
from tests.make import START
from tests.patients.conftest import CHAN, HEADINGS, Clinic

CONTENT: dict[str, Any] = {
    "facts": {
        "official_domains": {"value": "larkmoor.example"},
        "enquiry_email": {"value": "help@larkmoor.example"},
        "official_sender_numbers": {"value": "2000 0000, #Larkmoor"},
        "hotline": {"value": None},
    },
    "contacts": {"antiscam_line": {"value": "18222"}, "privacy": {"value": "2827 2827"}, "web": {"value": "pcpd.org.hk"}},
}
OURS = Official.of(CONTENT)


@pytest.mark.parametrize(
    "text",
    [
        "Read https://larkmoor.example/check",
        "www.larkmoor.example",
        "https://news.larkmoor.example",
        "write to help@larkmoor.example",
        "詳情見larkmoor.example。",
        "complain at pcpd.org.hk",
        "Thank you.Please call Mr.Chan, see report.pdf, e.g. page 3",
        "no address at all",
    ],
)
def test_our_own_addresses_and_plain_sentences_are_no_warning(text: str) -> None:
    assert judged_addresses(text, OURS) == (False, False)


@pytest.mark.parametrize(
    "text",
    [
        "https://larkm00r.example/login",
        "https://larkmoor.example.refund-hk.top",
        "larkmoor-refund.com",
        "larkrnoor.com",
        "larkmor.com",
        "http://l\u0430rkmoor.example",
        "https://xn--lrkmoor-dya.example",
        "https://bit.ly/3xYz",
        "http://10.9.8.7/pay",
        "https://larkmoor.example@evil.top/x",
        "hxxps://larkmoor.com.hk",
        "請即按larkmoor-hk.com/確認",
        "help@larkmoor.com",
    ],
)
def test_an_address_that_imitates_ours_or_hides_is_named(text: str) -> None:
    assert judged_addresses(text, OURS) == (True, True)


@pytest.mark.parametrize("text", ["https://parcel.com/track", "some-shop.com", "me@gmail.com"])
def test_another_address_is_a_link_that_is_not_ours(text: str) -> None:
    assert judged_addresses(text, OURS) == (True, False)


def test_without_published_domains_every_address_is_foreign() -> None:
    nothing = Official.of({"facts": {}, "contacts": {}})
    assert judged_addresses("https://larkmoor.example", nothing) == (True, False)


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("call 2000 0000", False),
        ("call +852 2000-0000", False),
        ("police 18222, 2827 2827", False),
        ("sent on 2023-05-08 10:30", False),
        ("your code is 482913", False),
        ("ring 5555 1234 now", True),
        ("WhatsApp +86 139 1234 5678", True),
    ],
)
def test_a_number_that_is_not_ours_is_a_warning(text: str, foreign: bool) -> None:
    assert foreign_numbers(text, OURS) is foreign


@pytest.mark.parametrize("piece", ["a", "a.", "a@", "a-", "1 ", "!@", "www.", "\u0430.", "xn--a."])
def test_hostile_texts_cost_as_much_as_they_are_long(piece: str) -> None:
    assert grows_like_its_input(lambda text: judged_addresses(text, OURS), piece, 500)


# ------------------------------------------------------------ references


@pytest.fixture
def reference(clinic: Clinic) -> str:
    clinic.apply([HEADINGS, CHAN])
    with clinic.database.writing() as session:
        [(_, given)] = references.issue(session, clinic.index, [1], at=START)
    return given


def said(database: Database, index: BlindIndex, text: str) -> tuple[str, ...]:
    with database.reading() as session:
        return findings(session, index, CONTENT, text)


def test_a_true_reference_says_that_a_notice_went_out_and_nothing_else(clinic: Clinic, reference: str) -> None:
    assert said(clinic.database, clinic.index, reference.lower().replace("-", " ")) == ("check_code_known", "check_official")


def test_a_true_reference_beside_a_false_link_is_a_false_message(clinic: Clinic, reference: str) -> None:
    text = f"Your reference {reference}: claim your refund at larkmoor-refund.com"
    assert said(clinic.database, clinic.index, text)[:3] == ("check_lookalike", "check_link", "check_not_ours")


def test_an_unknown_reference_is_treated_as_not_ours(clinic: Clinic, reference: str) -> None:
    unknown = references.new_reference()
    assert said(clinic.database, clinic.index, unknown) == ("check_code_unknown", "check_not_ours", "check_official")


def test_a_text_with_nothing_to_go_by_gets_the_general_answer(clinic: Clinic, reference: str) -> None:
    assert said(clinic.database, clinic.index, "somebody rang me, was that you?") == ()


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    seen: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def test_known_unknown_and_no_reference_ask_the_rows_the_same(clinic: Clinic, reference: str) -> None:
    asked = []
    for text in (reference, references.new_reference(), "was that you?"):
        with statements(clinic.database) as seen:
            said(clinic.database, clinic.index, text)
        asked.append([statement for statement in seen if "person_references" in statement])
    assert asked[0] == asked[1] == asked[2]
    assert len(asked[0]) == 1
