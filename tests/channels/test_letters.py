"""E-mail as patients and machines write it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import letters
from tests.channels.signing import letter, mail_fields

OWN = ["care@clinic.example"]


@pytest.mark.parametrize(
    ("text", "wrote"),
    [
        (
            "Was my HKID taken?\n\nOn Mon, 8 May 2023 at 10:00, Clinic <care@clinic.example> wrote:\n> Dear patient\n> We",
            "Was my HKID taken?",
        ),
        (
            "Was it?\n\nOn Mon, 8 May 2023 at 10:00, The Clinic of a Very Long Name\n<care@clinic.example> wrote:\n\n> Dear",
            "Was it?",
        ),
        ("1\n\n於 2023年5月8日 週一 上午10:00，診所 <care@clinic.example> 寫道：\n> 親愛的病人", "1"),
        ("什么时候？\n\n在 2023年5月8日，Clinic 写道：\n> x", "什么时候？"),
        ("Hello\n\n-----Original Message-----\nFrom: Clinic\nText", "Hello"),
        ("Hello\n\nFrom: Clinic <care@clinic.example>\nSent: Monday\nTo: me\n\nDear patient", "Hello"),
        ("請問\n\n寄件者: Clinic <care@clinic.example>\n日期: x", "請問"),
        ("Kumusta po\n\nNoong Lun, Mayo 8, sumulat si Clinic:\n> x", "Kumusta po"),
        ("Halo\n\nPada Sen, 8 Mei 2023 pukul 10.00 Clinic <a@b.example> menulis:\n> x", "Halo"),
        ("> Dear patient\n> We write to you\n\nI answer below.", "I answer below."),
        ("What now?\n-- \nChan Tai Man\nManager", "What now?"),
        ("Thanks\n\nSent from my iPhone", "Thanks"),
        ("On Monday I wrote to you and nobody answered.\nWhy?", "On Monday I wrote to you and nobody answered.\nWhy?"),
        ("> only a quote", "> only a quote"),
        ("", ""),
    ],
)
def test_what_was_quoted_is_cut_and_what_was_written_stays(text: str, wrote: str) -> None:
    assert letters.unquoted(text) == wrote


@given(st.text(max_size=400))
def test_whatever_is_written_something_of_it_stays(text: str) -> None:
    assert bool(letters.unquoted(text)) == bool(text.strip())


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ("", ""),
        ("Auto-Submitted: no\n", ""),
        ("Auto-Submitted: auto-replied\n", "auto_submitted"),
        ("Auto-Submitted: auto-generated (rejected)\n", "auto_submitted"),
        ("Precedence: bulk\n", "bulk"),
        ("precedence: auto_reply\n", "bulk"),
        ("List-Id: <news.example>\n", "bulk"),
        ("X-Auto-Response-Suppress: DR, OOF, AutoReply\n", "auto_submitted"),
        ("X-Auto-Response-Suppress: None\n", ""),
        ("X-Autoreply: yes\n", "bulk"),
        ("Return-Path: <>\n", "bounce"),
    ],
)
def test_a_machine_is_known_by_what_it_says_of_itself(headers: str, why: str) -> None:
    assert letters.no_person(mail_fields("hello", headers=headers), OWN) == why


@pytest.mark.parametrize(
    ("sender", "why"),
    [
        ("MAILER-DAEMON@mx.example", "robot"),
        ("postmaster@mx.example", "robot"),
        ("no-reply@bank.example", "robot"),
        ("Care@Clinic.example", "own_address"),
        ("not an address", "no_sender"),
        ("", "no_sender"),
        ("noreen@mail.example", ""),
    ],
)
def test_a_machine_is_known_by_its_address(sender: str, why: str) -> None:
    assert letters.no_person(mail_fields("hello", sender=sender), OWN) == why


def test_a_null_sender_is_a_bounce() -> None:
    fields = mail_fields("hello", envelope=json.dumps({"to": OWN, "from": ""}))
    assert letters.no_person(fields, OWN) == "bounce"


def test_a_sender_that_fails_both_checks_gets_no_answer() -> None:
    assert letters.no_person(mail_fields("hello", SPF="fail", dkim="{@mail.example : fail}"), OWN) == "forged_sender"
    assert letters.no_person(mail_fields("hello", SPF="fail", dkim="{@mail.example : pass}"), OWN) == ""
    assert letters.no_person(mail_fields("hello", SPF="none"), OWN) == ""


def test_attachments_are_counted_and_not_kept() -> None:
    hook = letter(mail_fields("hello"), files={"report.pdf": b"%PDF secret content" * 1000})
    fields = letters.fields_of(hook.content_type, hook.body)
    assert fields["attachments"] == "1"
    assert "secret content" not in json.dumps(fields)


def test_a_page_is_read_as_its_words_without_quotes_and_scripts() -> None:
    html = (
        "<html><head><style>p{}</style></head><body><p>Was it <b>me</b>?</p><script>alert(1)</script><blockquote>old</blockquote>"
    )
    fields = {**mail_fields(""), "text": "", "html": html}
    assert letters.written(fields) == "Was it me?"


def test_the_subject_is_part_of_the_question_unless_it_repeats_one() -> None:
    assert letters.question(mail_fields("", subject="I want to die")) == "I want to die"
    assert letters.question(mail_fields("Please help", subject="My data")) == "My data\n\nPlease help"
    assert letters.question(mail_fields("2", subject="Re: My data")) == "2"
    assert letters.question(mail_fields("2", subject="回覆：資料")) == "2"


def test_a_raw_email_is_read_too() -> None:
    raw = (
        "From: Chan <chan@mail.example>\nSubject: Question\nMessage-ID: <r@mail.example>\nContent-Type: text/plain\n\nWas it me?"
    )
    fields = {"email": raw, "from": "chan@mail.example", "envelope": "{}"}
    assert letters.written(fields) == "Was it me?"
    assert letters.letter_of(fields)["id"] == "<r@mail.example>"


def test_big5_and_unknown_charsets_are_read_as_far_as_possible() -> None:
    hook = letter(mail_fields("x", charsets=json.dumps({"text": "big5", "subject": "no-such-charset"}), subject="hi"))
    body = hook.body.replace(b"\r\n\r\nx\r\n", b"\r\n\r\n" + "診所".encode("big5") + b"\r\n")
    fields = letters.fields_of(hook.content_type, body)
    assert fields["text"] == "診所"
    assert fields["subject"] == "hi"
