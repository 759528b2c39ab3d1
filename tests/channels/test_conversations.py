"""Whole conversations by SMS, WhatsApp and e-mail, through the providers' own libraries and the simulator."""

from __future__ import annotations

import pytest

from bot.conversations.post.models import PartStatus
from tests.channels.conftest import MOBILE, Post
from tests.web.conftest import eventually

pytestmark = pytest.mark.chaos

CHANNELS = ["sms", "whatsapp", "email"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_question_is_answered_where_it_was_asked_and_the_proof_comes_back(post: Post, channel: str) -> None:
    post.types(channel, "What happened at the clinic?")
    eventually(lambda: post.parts() and all(part.status == PartStatus.DELIVERED for part in post.parts()), 60)
    [thread] = post.threads()
    assert thread.channel == channel
    first = post.arrived(channel)[0]
    assert first["recipient"] == ("chan@mail.example" if channel == "email" else MOBILE)
    said = "\n".join(one["text"] for one in post.arrived(channel))
    assert "1. " in said
    assert post.engine.asked == ["What happened at the clinic?"]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_choice_is_taken_by_its_number_and_the_number_is_never_shown_as_an_id(post: Post, channel: str) -> None:
    post.types(channel, "What happened at the clinic?")
    eventually(lambda: post.parts() and all(part.status == PartStatus.DELIVERED for part in post.parts()), 60)
    before = len(post.arrived(channel))
    post.types(channel, "２", **({"subject": "Re: a question"} if channel == "email" else {}))
    eventually(lambda: len(post.arrived(channel)) > before, 20)
    assert post.engine.asked == ["What happened at the clinic?"]  # the second one was pressed
    choices = [choice for line in post.lines(1) if line.kind == "reply" for choice, _ in line.choices]
    assert not any(choice in one["text"] for one in post.arrived(channel) for choice in choices)


def test_replies_leave_from_the_number_the_patient_wrote_to(post: Post) -> None:
    post.types("sms", "What happened at the clinic?", to="+85264500002")
    post.types("sms", "What happened at the clinic?", to="+85264500001")
    eventually(lambda: {one["sender"] for one in post.arrived("sms")} == {"+85264500001", "+85264500002"}, 20)
    assert len(post.threads()) == 2


def test_one_person_on_two_channels_has_two_lines(post: Post) -> None:
    post.types("sms", "What happened at the clinic?")
    post.types("whatsapp", "What happened at the clinic?")
    eventually(lambda: post.arrived("sms") and post.arrived("whatsapp"), 20)
    assert {thread.channel for thread in post.threads()} == {"sms", "whatsapp"}
    assert len({thread.address_index for thread in post.threads()}) == 2


@pytest.mark.parametrize(
    ("channel", "sent"),
    [
        ("whatsapp", {"media": ["audio/ogg"]}),
        ("whatsapp", {"media": ["image/jpeg"]}),
        ("whatsapp", {"place": [22.28, 114.15]}),
        ("sms", {"media": ["image/jpeg"]}),
        ("whatsapp", {"text": "😀"}),
        ("sms", {"text": " "}),
        ("email", {"text": "", "attachments": [{"filename": "a.pdf", "type": "application/pdf", "base64": "QUJD"}]}),
    ],
)
def test_what_is_not_text_gets_a_friendly_answer_and_is_not_opened(post: Post, channel: str, sent: dict[str, object]) -> None:
    post.types(channel, **{"text": "", **sent})  # type: ignore[arg-type]
    post.awaits(channel, 1)
    assert post.engine.asked == []
    [reply] = [line for line in post.lines(1) if line.kind == "reply"]
    assert ("did not open" in reply.text) == ("text" not in sent or channel == "email")


def test_after_stop_nothing_is_sent_but_help_in_an_emergency(post: Post) -> None:
    post.types("whatsapp", "退訂")
    eventually(lambda: len(post.parts()) == 1 and post.parts()[0].status == PartStatus.DELIVERED, 20)
    post.types("whatsapp", "What happened at the clinic?")
    eventually(lambda: len(post.parts()) > 1 and post.parts()[-1].status == PartStatus.WITHHELD, 20)
    post.types("whatsapp", "I want to kill myself tonight")
    eventually(lambda: post.parts()[-1].status == PartStatus.DELIVERED, 20)
    assert "999" in post.arrived("whatsapp")[-1]["text"] + post.arrived("whatsapp")[-2]["text"]


def test_an_email_answer_joins_the_patients_conversation(post: Post) -> None:
    quoted = "What happened?\n\nOn Mon, 8 May 2023 at 10:00, Clinic <care@clinic.example> wrote:\n> Dear patient"
    identity = post.types("email", quoted, subject="My data")
    eventually(lambda: post.parts() and all(part.status == PartStatus.DELIVERED for part in post.parts()), 60)
    assert post.engine.asked == ["My data What happened?"]
    [mail] = post.arrived("email")
    assert mail["subject"] == "Re: My data"
    [part] = post.parts()
    assert mail["tags"]["candour"] == part.reference
    assert set(mail["tags"]) == {"candour", "mail"}
    assert identity


@pytest.mark.parametrize("kind", ["auto_reply", "bounce_message"])
def test_machines_that_write_get_no_answer(post: Post, kind: str) -> None:
    post.types("email", "I am out of the office", kind=kind, subject="Out of office")
    post.types("email", "What happened?", patient="wong@mail.example")
    post.awaits("email", 1)
    assert [one["recipient"] for one in post.arrived("email")] == ["wong@mail.example"]
    assert len(post.threads()) == 1


def test_callbacks_repeated_reordered_and_early_leave_one_delivered_part(post: Post) -> None:
    post.faults(rates={"repeat": 1.0, "reorder": 1.0, "early": 1.0}, repeat_most=5)
    post.types("sms", "What happened at the clinic?")
    eventually(lambda: post.parts() and all(part.status == PartStatus.DELIVERED for part in post.parts()), 60)
    assert len({one["text"] for one in post.arrived("sms")}) == len(post.arrived("sms")) == len(post.parts())


def test_a_call_that_breaks_off_is_not_made_again_and_evidence_settles_it(post: Post) -> None:
    post.faults(next=["timeout_after_accept"], hang_s=30)
    post.types("sms", "What happened at the clinic?")
    eventually(lambda: post.parts() and all(part.status == PartStatus.DELIVERED for part in post.parts()), 60)
    texts = [one["text"] for one in post.arrived("sms")]
    assert len(texts) == len(set(texts)) == len(post.parts())


def test_a_provider_that_hangs_for_one_patient_keeps_no_other_waiting(post: Post) -> None:
    post.faults(next=["hang"], hang_s=30)
    post.types("sms", "What happened at the clinic?")
    eventually(lambda: any(part.status == PartStatus.SUBMITTING for part in post.parts()), 10)
    post.types("sms", "What happened at the clinic?", patient="+85298765432")
    post.types("email", "What happened?")
    eventually(lambda: post.arrived("email") and any(one["recipient"] == "+85298765432" for one in post.arrived("sms")), 2.5)


def test_a_burst_of_429_delays_and_loses_nothing(post: Post) -> None:
    post.faults(next=["burst_429"], burst_s=1)
    post.types("sms", "What happened at the clinic?")
    eventually(lambda: post.parts() and all(part.status == PartStatus.DELIVERED for part in post.parts()), 60)
    texts = [one["text"] for one in post.arrived("sms")]
    assert len(texts) == len(set(texts))


def test_a_reply_to_our_reply_joins_its_line_and_what_it_quotes_is_not_asked_again(post: Post) -> None:
    post.types("email", "What happened?", subject="My data")
    post.awaits("email", 1)
    [ours] = post.arrived("email")
    quoted = f"Who did it?\n\nOn Mon, 8 May 2023 at 10:00, Clinic <care@clinic.example> wrote:\n> {ours['text'][:40]}"
    post.types("email", quoted, subject=ours["subject"], kind="reply", in_reply_to=ours["id"])
    post.awaits("email", 2)
    assert len(post.threads()) == 1
    assert post.engine.asked[1:] == ["Who did it?"]
    assert [mail["subject"] for mail in post.arrived("email")] == ["Re: My data", "Re: My data"]


def test_after_a_day_of_silence_on_whatsapp_the_patient_is_invited_and_then_answered(post: Post) -> None:
    post.types("whatsapp", "What happened at the clinic?")
    eventually(lambda: post.parts() and all(part.status == PartStatus.DELIVERED for part in post.parts()), 60)
    before = len(post.arrived("whatsapp"))
    post.age(hours=25)
    post.says_late("whatsapp", "what_happened")
    invited = post.awaits("whatsapp", before + 1, 60)[before]
    assert invited.startswith("You wrote to us")
    assert any(part.status == PartStatus.HELD for part in post.parts())
    asked = list(post.engine.asked)
    post.types("whatsapp", "YES")
    eventually(lambda: all(part.status == PartStatus.DELIVERED for part in post.parts()), 60)
    assert post.engine.asked == asked
    late = [one["text"] for one in post.arrived("whatsapp")][before + 1 :]
    assert len(late) == len(set(late)) == len([part for part in post.parts() if part.template is None]) - before


@pytest.mark.parametrize(
    ("channel", "text", "language"),
    [("sms", "診所發生咩事？", "zh-Hant"), ("whatsapp", "诊所发生了什么事？", "zh-Hans"), ("email", "What happened?", "en")],
)
def test_each_channel_answers_in_the_language_it_was_asked_in(post: Post, channel: str, text: str, language: str) -> None:
    post.types(channel, text)
    post.awaits(channel, 1)
    assert post.threads()[0].language == language
