"""WhatsApp after 24 hours of silence, over both databases: an invitation once, and the answer when the patient writes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.base.database import Database
from bot.base.errors import PermanentFailure
from bot.base.settings import Settings
from bot.base.vault import BlindIndex, Vault
from bot.channels.base import DeliveryEvent, Outcome
from bot.channels.windows import template_for
from bot.conversations.post import outbox, receipts
from bot.conversations.post.models import Part, PartStatus
from bot.postroom import deliver
from tests.bot_conversations.test_outbox import THEIRS, Phone, World
from tests.conftest import Keys
from tests.make import FakeClock
from tests.people import FakeEngine, make_application, publish, small_content

EN, ZH = "HX" + "0" * 32, "HX" + "1" * 32
QUESTION = "what is going on at the clinic"


@dataclass
class WhatsAppWorld(World):
    """The same patient on WhatsApp."""

    def hears(self, text: str, their: str = THEIRS, channel: str = "whatsapp") -> int:
        """A turn arrives and is answered."""
        return super().hears(text, their, channel)

    def take(self, limit: int = 100) -> list[outbox.Taken]:
        """What may be sent now."""
        application = self.application
        with application.database.writing() as session:
            return outbox.take(
                session,
                application.vault,
                channel="whatsapp",
                limit=limit,
                at=self.clock(),
                templates=application.settings.templates,
            )

    def said(self) -> list[str]:
        """What arrived, an invitation as its content id."""
        return [one.template.content_id if one.template else one.text for one in self.phone.sent]

    def late(self, text: str = QUESTION, hours: float = 25) -> None:
        """A question whose answer can only be sent after the window has closed."""
        self.hears(text)
        self.clock.advance(hours=hours)
        self.send()


def make(
    tmp_path: Path, database: Database, vault: Vault, index: BlindIndex, clock: FakeClock, keys: Keys, templates: str
) -> WhatsAppWorld:
    publish(database, small_content(), clock())
    settings = Settings(_env_file=None, home=tmp_path, audit_keys=SecretStr(keys.audit), whatsapp_templates=templates)
    made = make_application(settings, database, vault, index, clock, FakeEngine())
    phone = Phone()
    return WhatsAppWorld(replace(made, channels={"whatsapp": phone}), phone, clock)


@pytest.fixture
def whatsapp(tmp_path: Path, database: Database, vault: Vault, index: BlindIndex, clock: FakeClock, keys: Keys) -> WhatsAppWorld:
    return make(tmp_path, database, vault, index, clock, keys, f"en={EN}, zh-Hant={ZH}")


@pytest.fixture
def bare(tmp_path: Path, database: Database, vault: Vault, index: BlindIndex, clock: FakeClock, keys: Keys) -> WhatsAppWorld:
    return make(tmp_path, database, vault, index, clock, keys, "")


def of(world: World, status: PartStatus) -> list[Part]:
    return [part for part in world.parts() if part.status == status]


def test_within_the_window_nobody_is_invited(whatsapp: WhatsAppWorld) -> None:
    whatsapp.late(hours=23.9)
    assert EN not in whatsapp.said()
    assert set(whatsapp.statuses()) == {PartStatus.SENT}


def test_after_it_the_answer_waits_and_the_patient_is_invited_once(whatsapp: WhatsAppWorld) -> None:
    whatsapp.late()
    assert whatsapp.said() == [EN]
    held = of(whatsapp, PartStatus.HELD)
    assert held
    for _ in range(3):
        whatsapp.clock.advance(hours=1)
        whatsapp.send()
    assert whatsapp.said() == [EN]


def test_once_the_patient_writes_what_waited_comes_first_in_order_and_once(whatsapp: WhatsAppWorld) -> None:
    whatsapp.late()
    waited = [part.id for part in of(whatsapp, PartStatus.HELD)]
    whatsapp.hears("yes please")
    whatsapp.send()
    whatsapp.send()
    assert not of(whatsapp, PartStatus.HELD)
    said = whatsapp.said()
    assert said[0] == EN
    texts = said[1:]
    assert texts[0].startswith("<what_happened")  # the answer to the first question, before that to the second
    assert [part.id for part in whatsapp.parts() if part.id in waited and part.status == PartStatus.SENT] == waited
    assert whatsapp.said().count(EN) == 1


@pytest.mark.parametrize("yes", ["YES", "yes!", "是", "好的。", "👍", "Oo", "ya"])
def test_who_says_yes_gets_what_waited_and_nothing_about_the_yes(whatsapp: WhatsAppWorld, yes: str) -> None:
    whatsapp.late()
    engine = whatsapp.application.engine
    assert isinstance(engine, FakeEngine)
    asked = len(engine.asked)
    whatsapp.hears(yes)
    whatsapp.send()
    assert len(engine.asked) == asked
    assert len(whatsapp.said()) == 1 + len([part for part in whatsapp.parts() if part.template is None])
    assert whatsapp.said()[1].startswith("<what_happened")
    whatsapp.hears(yes)
    whatsapp.send()
    assert len(whatsapp.said()) > 2


def test_a_danger_beside_what_waits_gets_its_help(whatsapp: WhatsAppWorld) -> None:
    whatsapp.late()
    whatsapp.hears("yes, i want to kill myself")
    whatsapp.send()
    assert any("self_harm" in text for text in whatsapp.said())


def test_a_second_silence_is_a_second_invitation(whatsapp: WhatsAppWorld) -> None:
    whatsapp.late()
    whatsapp.hears("yes please")
    whatsapp.send()
    whatsapp.late("and now?")
    assert whatsapp.said().count(EN) == 2


def test_the_window_that_closes_again_before_the_answer_left_invites_again(whatsapp: WhatsAppWorld) -> None:
    whatsapp.late()
    whatsapp.hears("yes please")
    whatsapp.clock.advance(hours=30)
    whatsapp.send()
    assert whatsapp.said() == [EN, EN]
    whatsapp.hears("I am here")
    whatsapp.send()
    assert not of(whatsapp, PartStatus.HELD)


def test_the_invitation_is_in_the_language_of_the_answer(whatsapp: WhatsAppWorld) -> None:
    whatsapp.late("請問診所發生咩事？")
    assert whatsapp.said() == [ZH]


@pytest.mark.parametrize(
    ("language", "templates", "chosen"),
    [
        ("en", {"en": "E", "zh-Hant": "T"}, "E"),
        ("zh-Hans", {"en": "E", "zh-Hant": "T"}, "T"),
        ("tl", {"en": "E", "zh-Hant": "T"}, "E"),
        ("tl", {"zh-Hant": "T"}, None),
        ("en", {}, None),
    ],
)
def test_the_nearest_language_is_chosen(language: str, templates: dict[str, str], chosen: str | None) -> None:
    assert template_for(language, templates) == chosen


def test_without_a_template_it_has_failed_and_nothing_is_called(bare: WhatsAppWorld) -> None:
    bare.late()
    assert bare.phone.sent == []
    assert {(part.status, part.code) for part in bare.parts()} == {(PartStatus.FAILED, "outside_window")}
    assert all(part.reason for part in bare.parts())


def test_who_stopped_is_not_invited_and_gets_nothing_later(whatsapp: WhatsAppWorld) -> None:
    whatsapp.late()
    whatsapp.hears("退訂")
    whatsapp.send()
    assert of(whatsapp, PartStatus.HELD)
    assert [text for text in whatsapp.said() if "what_happened" in text] == []
    whatsapp.hears("START")
    whatsapp.send()
    assert not of(whatsapp, PartStatus.HELD)
    assert [text for text in whatsapp.said() if "what_happened" in text]


def test_what_the_provider_finds_too_late_is_kept_as_well(whatsapp: WhatsAppWorld) -> None:
    whatsapp.hears(QUESTION)
    whatsapp.phone.results = [PermanentFailure("too late", code="63016")]
    [taken] = whatsapp.take(1)
    deliver(whatsapp.application, taken)
    assert of(whatsapp, PartStatus.HELD)
    assert [part.template for part in of(whatsapp, PartStatus.QUEUED) if part.template] == [EN]


def test_a_late_63016_keeps_the_answer_and_later_news_of_the_first_try_is_not_taken_for_it(whatsapp: WhatsAppWorld) -> None:
    whatsapp.hears(QUESTION)
    whatsapp.send()
    first = whatsapp.parts()[0]
    with whatsapp.application.database.writing() as session:
        event = DeliveryEvent(first.reference, first.provider_id or "", Outcome.FAILED, "63016", "too late")
        templates = whatsapp.application.settings.templates
        receipts.apply(session, whatsapp.application.vault, event, "whatsapp", whatsapp.clock(), templates)
    assert of(whatsapp, PartStatus.HELD)
    assert whatsapp.event(first, Outcome.SENT) == "unknown_reference"
    assert whatsapp.event(first, Outcome.DELIVERED) == "unknown_reference"
    whatsapp.send()
    assert whatsapp.said()[-1] == EN


def test_an_invitation_that_fails_is_not_answered_with_another(whatsapp: WhatsAppWorld) -> None:
    whatsapp.phone.results = [PermanentFailure("not approved", code="63016")] * 9
    whatsapp.late()
    whatsapp.clock.advance(hours=3)
    whatsapp.send()
    assert whatsapp.said() == [EN]
    assert [part.status for part in whatsapp.parts() if part.template] == [PartStatus.FAILED]
