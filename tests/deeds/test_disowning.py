"""Words by which a contact is disowned, in five languages, and sentences that only sound like them."""

from __future__ import annotations

import pytest

from bot.deeds.disowning import Disowned, disowned

NOT_ME = [
    *(
        "This is not me",
        "this isn't me!",
        "It wasn't me",
        "NOT ME",
        "Sorry, wrong person",
        "I'm not that person",
        "you have the wrong person",
    ),
    *("唔係我", "唔係我呀", "不是我", "这不是我", "搵錯人", "你好，你找错人了", "認錯人", "唔好意思，搵錯人"),
    *("Hindi po ako", "hindi ako iyan", "Maling tao po kayo"[:10], "bukan saya", "Maaf, ini bukan saya", "salah orang"),
]
WRONG_NUMBER = [
    *("wrong number", "Wrong number, sorry", "You have the wrong number.", "u got the wrong number", "this is not her number"),
    *("This is no longer his e-mail", "打錯", "打錯電話", "打错了", "發錯人", "号码错了", "發錯短訊"[:2]),
    *("maling number po", "Mali po ang number", "salah nomor", "Maaf, salah sambung", "bukan nomornya"),
]
DIED = [
    *("He has died", "she passed away", "My husband died", "he's dead", "This patient is deceased", "my mother has passed away"),
    *("佢死咗", "佢已經過咗身", "他已經去世", "她去世了", "病人已離世"),
    *("patay na po siya", "Pumanaw na siya", "beliau sudah meninggal", "Dia telah wafat", "ayah saya sudah meninggal dunia"),
]
HARMLESS = [
    *(
        "Is this the wrong number of pills?",
        "He has died of shame, what a clinic",
        "not me who asked, my wife did, can you tell her",
    ),
    *("Was my husband affected? He died in 2019 and I want to know what you hold", "Who has died?", "I feel dead", "is he dead?"),
    *("This is not my data", "It is not for me to say", "我不是病人，是家屬", "係咪打錯字", "他是不是死了", "我想知佢係咪死咗"),
    *("hindi ako nakatanggap", "bukan saya tidak mau", "salah satu", "saya sudah meninggalkan klinik", "not men", "", "   ", "…"),
]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        *((text, Disowned.NOT_ME) for text in NOT_ME),
        *((text, Disowned.WRONG_NUMBER) for text in WRONG_NUMBER),
        *((text, Disowned.DIED) for text in DIED),
    ],
)
@pytest.mark.parametrize("channel", ["sms", "whatsapp", "email"])
def test_a_contact_is_disowned(text: str, kind: Disowned, channel: str) -> None:
    assert disowned(text, channel) is kind


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_sounds_like_it_is_a_turn_like_others(text: str) -> None:
    assert disowned(text, "sms") is None


@pytest.mark.parametrize("text", [NOT_ME[0], WRONG_NUMBER[0], DIED[0]])
def test_on_the_web_nobody_has_written_first(text: str) -> None:
    assert disowned(text, "web") is None


def test_an_e_mail_is_read_in_its_first_line() -> None:
    assert disowned("Wrong person.\n\nOn 5 May the clinic wrote:\n> Dear Ms Chan", "email") is Disowned.NOT_ME


def test_a_long_text_is_somebody_telling_more() -> None:
    assert disowned("wrong number " + "sorry " * 30, "sms") is None
