"""What is one person's own: in the right part, escaped for it, and text whatever it holds."""

from __future__ import annotations

from html import unescape
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.campaigns.content import marks, segment
from bot.campaigns.content.segment import Shared
from bot.patients.models import Way
from tests.campaigns.content import notices

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ facts.hotline }}",
    "{% include 'x' %}",
    "Bcc: all@example.com\r\n\r\nHello",
    "# a heading",
    "1. a step",
    "@ N1",
    "= a box",
    "#import sys.inputs",
    '#eval("1")',
    "*bold* _it_ $x$ [link](http://x)",
    "%%reference%%",
    "-reference-",
    "\ue002reference\ue003",
    "\u202etxet desrever",
    "陳大文\u2028第二行",
    "&lt;b&gt;",
    'O\'Brien & Söhne "Ltd"',
    "{{1}}",
]
WORDS = st.text(min_size=1, max_size=60).filter(lambda text: marks.tidy(text) != "")
EMAIL, LETTER, WHATSAPP = (notices.shared("first_notice", Language.EN, way) for way in (Way.EMAIL, Way.LETTER, Way.WHATSAPP))
SMS = notices.shared("first_notice", way=Way.SMS)


class Tags(HTMLParser):
    """How many of each element a page has, and its words."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.seen: list[str] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


ELEMENTS = Tags(segment.filled(EMAIL, {"name": "Chan Tai Man", "reference": "7K3M9-QT4XV"}).html).seen


def put_in(shared: Shared, name: str) -> segment.Filled:
    return segment.filled(shared, {"name": name, "reference": "7K3M9-QT4XV"})


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_text_in_every_part(name: str) -> None:
    read, plain = put_in(EMAIL, name), marks.tidy(name)
    assert Tags(read.html).seen == ELEMENTS
    assert f"Dear {plain}," in Tags(read.html).words
    assert f"Dear {plain},\n" in read.text
    assert read.subject == EMAIL.subject
    assert [block.kind for block in read.blocks] == [block.kind for block in EMAIL.blocks]


@settings(max_examples=200, deadline=None)
@given(WORDS)
def test_whatever_a_name_holds_it_is_text(name: str) -> None:
    read, plain = put_in(EMAIL, name), marks.tidy(name)
    assert Tags(read.html).seen == ELEMENTS
    assert f"Dear {plain},\n" in read.text
    assert len(read.text.splitlines()) == len(EMAIL.text.splitlines()) or any(sign in plain for sign in "\x85\u2028\u2029")


@settings(max_examples=100, deadline=None)
@given(WORDS)
def test_whatever_a_fact_holds_it_is_text_and_makes_nothing(words: str) -> None:
    content = notices.with_fact("system_affected", words)
    told = notices.shared("first_notice", content=content)
    assert Tags(told.html).seen == ELEMENTS
    assert [(block.kind, len(block.lines)) for block in told.blocks] == [(block.kind, len(block.lines)) for block in EMAIL.blocks]
    assert told.places == EMAIL.places
    assert any(
        line.startswith(f"The system that was attacked: {marks.tidy(words)}.") for block in told.blocks for line in block.lines
    )


@pytest.mark.parametrize("words", HOSTILE)
def test_a_hostile_fact_is_one_line_of_text_in_a_subject_and_an_sms(words: str) -> None:
    content = notices.with_fact("clinic_name", words)
    subject = notices.shared("first_notice", content=content).subject
    assert subject == f"{marks.tidy(words)}: a cyberattack, and what it means for you"
    text = notices.shared("first_notice", way=Way.SMS, content=content).text
    assert text.startswith(f"{marks.tidy(words)}: We are sorry.")
    assert text.count("\n") == 0


@pytest.mark.parametrize("words", HOSTILE)
def test_a_hostile_fact_within_an_approved_wording_makes_no_heading_and_no_place(words: str) -> None:
    told = notices.shared("first_notice", content=notices.with_fact("hotline", f"x\n{words}"))
    assert told.places == EMAIL.places
    assert sum(block.kind == "heading" for block in told.blocks) == sum(block.kind == "heading" for block in EMAIL.blocks)
    assert told.items == EMAIL.items


def test_the_same_value_is_escaped_for_html_and_left_alone_in_text() -> None:
    own = segment.personal(EMAIL, {"name": "A & <B>", "reference": "7K3M9-QT4XV"})
    assert set(own.for_html.values()) == {"A &amp; &lt;B&gt;", "7K3M9-QT4XV"}
    assert set(own.for_text.values()) == {"A & <B>", "7K3M9-QT4XV"}
    assert not own.for_html.keys() & own.for_text.keys()
    assert own.substitutions == {**own.for_html, **own.for_text}


def test_a_provider_that_puts_all_values_into_all_parts_makes_what_filled_makes() -> None:
    values = {"name": "A & <B>", "reference": "7K3M9-QT4XV"}
    own, read = segment.personal(EMAIL, values), segment.filled(EMAIL, values)
    html, text, subject = EMAIL.html, EMAIL.text, EMAIL.subject
    for token, value in own.substitutions.items():
        html, text, subject = html.replace(token, value), text.replace(token, value), subject.replace(token, value)
    assert (html, text, subject) == (read.html, read.text, read.subject)
    assert EMAIL.nonce not in html + text


@pytest.mark.parametrize("values", [{}, {"name": "A"}, {"name": "", "reference": "R"}, {"name": " \n\t", "reference": "R"}])
def test_a_missing_or_empty_value_is_refused_by_name(values: dict[str, str]) -> None:
    with pytest.raises(BadInput, match=r"needs (name|reference)"):
        segment.personal(EMAIL, values)


def test_a_value_that_cannot_be_real_is_refused_without_being_quoted() -> None:
    for value in ("x" * 401, f"-{EMAIL.nonce}.reference.t-"):
        with pytest.raises(BadInput) as refused:
            segment.personal(EMAIL, {"name": value, "reference": "R"})
        assert value not in str(refused.value)


def test_an_sms_of_a_person_keeps_every_sign_and_is_counted_with_it() -> None:
    told = notices.shared("guardian", way=Way.SMS)
    read = segment.filled(told, {"reference": "陳0000-00000"})
    assert "陳0000-00000" in read.text
    assert read.segments.encoding == "UCS-2"


def test_whatsapp_variables_hold_no_line_break() -> None:
    read = segment.filled(WHATSAPP, {"reference": "A\nB\tC    D"})
    assert read.variables["5"] == "A B C D"


def test_what_is_personal_is_not_shown_in_a_trace() -> None:
    shown = repr(put_in(EMAIL, "Chan Tai Man")) + repr(segment.personal(EMAIL, {"name": "Chan Tai Man", "reference": "R"}))
    assert "Chan Tai Man" not in shown


def test_no_subject_holds_anything_personal() -> None:
    for name, language, way in notices.each():
        told = notices.shared(name, language, way)
        assert told.nonce not in told.subject


def test_html_and_plain_part_say_the_same() -> None:
    for name, language, way in notices.each():
        if way is Way.EMAIL:
            read = notices.filled(name, language)
            words = "".join(unescape(Tags(read.html).words).split())
            assert [line for block in read.blocks for line in block.lines if "".join(line.split()) not in words] == []
            assert [line for block in read.blocks for line in block.lines if line not in read.text] == []
