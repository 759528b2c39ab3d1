"""E-mail as patients and machines write it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import letters
from bot.channels.email import Email
from tests.channels.signing import BOUNDARY, letter, mail_fields
from tests.channels.signing import OWN as OURS
from tests.growth import grows_like_its_input

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


def part(kind: str, content: bytes, disposition: str = 'name="attachment1"; filename="x.eml"') -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {disposition}\r\nContent-Type: {kind}\r\n\r\n"
    return head.encode() + content + b"\r\n"


def form(*parts: bytes, before: bytes = b"", ends: bytes = f"--{BOUNDARY}--\r\n".encode()) -> dict[str, str]:
    """The fields of an e-mail that says hello, with these parts behind its words."""
    hook = letter(mail_fields("hello"))
    words = hook.body.removesuffix(f"--{BOUNDARY}--\r\n".encode())
    return letters.fields_of(hook.content_type, before + words + b"".join(parts) + ends)


@pytest.mark.parametrize(
    "attached",
    [
        b"Content-Type: message/rfc822\r\n\r\n" * 3000,
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(3000)),
        b"\n" * 1_000_000,
        b"--xYzZ\r\n--xYzZYx\r\n" * 1000,
        b"\xff\xfe\0" * 1000,
        b"",
    ],
)
def test_what_lies_in_a_file_is_never_opened_and_the_words_before_and_after_it_are_read(attached: bytes) -> None:
    fields = form(part("message/rfc822", attached), part("text/plain", b"after", 'name="SPF"'))
    assert (fields["text"], fields["SPF"], fields["attachments"]) == ("hello", "after", "1")


def test_a_form_with_very_many_parts_or_none_or_cut_off_is_read_as_far_as_it_goes() -> None:
    many = form(*[part("text/plain", b"x")] * 20_000)
    assert many["text"] == "hello"
    assert int(many["attachments"]) > 1000
    assert form(ends=b"")["text"] == "hello"
    assert form(before=b"a preamble\r\n")["text"] == "hello"
    for kind in ("", "text/plain", "application/json", "multipart/form-data", 'multipart/form-data; boundary=""', "\r\n\r\n"):
        assert letters.fields_of(kind, b"text=hello") == {"attachments": "0"}


def test_words_that_were_sent_twice_are_kept_once() -> None:
    assert "html" not in form(part("text/html", b"<p>hello</p>", 'name="html"'))
    hook = letter({**mail_fields(" "), "html": "<p>hello</p>"})
    assert letters.written(letters.fields_of(hook.content_type, hook.body)) == "hello"


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("a<br>b<BR/>c", "a\nb\nc"),
        ("1 < 2 &amp; 3 > 2", "1 < 2 & 3 > 2"),
        ('<img alt="a > b" src=x>seen', "seen"),
        ("<a title='it>s' href=\"x\">link</a>", "link"),
        ('<a title="never closed>still here', "still here"),
        ("before<!-- hidden <p> -->after", "beforeafter"),
        ("before<!-- never closed", "before"),
        ("<script>if (a<b) { '</p>' }</script >after", "after"),
        ("<style>never closed", ""),
        ("<!DOCTYPE html><?xml version='1'?>text", "text"),
        ("<blockquote>old <blockquote>older</blockquote> old</blockquote>new", "new"),
        ("</blockquote></p>new", "new"),
        ("<p", ""),
        ("<", "<"),
        ("&#0;&#x110000;&nosuch;&lt;b&gt;", "\ufffd\ufffd&nosuch;<b>"),
        ("<p>我想知道<b>發生</b>什麼事</p>", "我想知道發生什麼事"),
    ],
)
def test_markup_is_read_as_a_mail_program_shows_it(html: str, words: str) -> None:
    assert letters.written({"html": html}) == words


@pytest.mark.parametrize("charset", ["idna", "undefined", "utf\0-8", "rot13", "no-such-charset"])
def test_a_charset_that_cannot_be_used_is_read_as_utf8(charset: str) -> None:
    hook = letter(mail_fields("What happened to my records?", charsets=json.dumps({"text": charset})))
    assert letters.fields_of(hook.content_type, hook.body)["text"] == "What happened to my records?"
    raw = f'From: a@b.example\nContent-Type: text/plain; charset="{charset}"\n\nWhat happened?\n'
    assert letters.written({"email": raw}) == "What happened?"


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("Hello &#" + "1" * 5000 + "; I want to die", "I want to die"),
        ("İ" * 40 + "<!-- x -->I want to die", "I want to die"),
        ("İ" * 40 + "<script>x</script>I want to die", "I want to die"),
        ("İ" * 40 + "<SCRIPT>x</SCRIPT>I want to die", "I want to die"),
    ],
    ids=["number", "comment", "script", "capitals"],
)
def test_no_sign_before_them_swallows_the_words_that_follow(html: str, words: str) -> None:
    assert letters.written({"html": html}).endswith(words)


def test_headers_of_a_thousand_brackets_keep_nobody_from_being_read() -> None:
    for header in ("Content-Type", "Content-Disposition", "Content-Transfer-Encoding"):
        raw = f"From: a@b.example\n{header}: " + "(" * 50_000 + "\n\nWhat happened?\n"
        assert letters.written({"email": raw}) == "What happened?"


HOSTILE = (
    *("<a ", "<a href='", '<a "', "<!--", "<![CDATA[", "</", "<", "&", "&#", "<script>", "<blockquote>", "<div>"),
    *(
        "\n> ",
        "On ",
        "-",
        "a@",
        "(",
        "<(",
        '"',
        "\\",
        ":",
        "=?utf-8?q?",
        "[",
        '{"a":',
        "A:b\n",
        "\n a",
        "\r",
        "a@b,",
        "from: a@",
        "寫",
    ),
    *("Content-Type: message/rfc822\n\n", "Content-Type: multipart/mixed; boundary=a\n\n--a\n"),
)


@pytest.mark.parametrize("field", ["text", "html", "from", "to", "subject", "headers", "envelope", "email"])
@pytest.mark.parametrize("piece", HOSTILE)
def test_whatever_is_in_a_field_costs_what_it_is_long(field: str, piece: str) -> None:
    channel = Email(api_key="", webhook_key="", inbound_secret="", own=[OURS["email"]])
    left_out = {"html": "text", "email": "text headers from", "to": "envelope", "headers": "from subject"}.get(field, "")
    rest = {name: value for name, value in mail_fields("hello").items() if name not in left_out.split()}

    def read(value: str) -> None:
        channel.parse_incoming({**rest, "attachments": "0", field: value})

    assert grows_like_its_input(read, piece, 20_000 // len(piece))
