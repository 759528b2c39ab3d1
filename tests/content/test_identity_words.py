"""What is said while somebody shows who they are: it tells nothing, asks for nothing stolen, and fits where it goes."""

from __future__ import annotations

import re

import pytest

from bot.base.languages import CHINESE
from bot.channels.segments import segments
from tests.content import texts
from tests.content.texts import Text

FLOW = next(document["answers"] for path, document in texts.files().items() if path.name == "identity.yml")
SAID = [text for text in texts.texts() if text.name in FLOW]
CODES = [text for text in SAID if text.name == "one_time_code"]
CONFIRMS = (
    r"(you are|as) (a|our) patient|we found you|on file for you|你是(我們|本集團)的病人|您是(我们|本集团)的患者"
    r"|pasyente (po )?kayo|Anda (adalah )?pasien"
)


@pytest.mark.parametrize("text", [text for text in CODES if text.kind == "short"], ids=str)
def test_a_one_time_code_fits_one_sms(text: Text) -> None:
    sent = segments(texts.rendered(text, texts.with_all_facts()))
    assert (sent.count, sent.encoding) == (1, "UCS-2" if text.language in CHINESE else "GSM-7")


@pytest.mark.parametrize("text", CODES, ids=str)
def test_a_one_time_code_says_first_whom_it_is_from(text: Text) -> None:
    sent = texts.rendered(text, texts.with_all_facts())
    assert sent.startswith(_clinic(text))
    assert texts.GIVEN_VALUES["code"] in sent.splitlines()[0]


@pytest.mark.parametrize("text", SAID, ids=str)
def test_what_is_said_to_everybody_is_public_and_tells_nobody_who_is_a_patient(text: Text) -> None:
    assert texts.content()["wordings"][text.name]["level"] == "public"
    assert not re.search(CONFIRMS, texts.rendered(text, texts.with_all_facts()), re.IGNORECASE)


def _clinic(text: Text) -> str:
    name = texts.with_all_facts()["facts"]["clinic_name"]["value"]
    return str(name.get(text.language.value, name["en"]))
