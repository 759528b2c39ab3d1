"""What is looked after in the post, over both databases: nobody is left in silence, and nothing is kept for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from bot.aftercare import Aftercare
from bot.base.audit import AuditEntry, content_of
from bot.base.database import Base
from bot.base.errors import ChannelError, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bot.base.vault import Vault
from bot.channels.base import HookKind, Outcome
from bot.channels.registry import channels
from bot.conversations.post import hooks, outbox, retention
from bot.conversations.post.models import HookDelivery, HookStatus, PartStatus
from bot.desk.hours import switches
from bot.desk.models import Case, CaseReason
from bot.desk.records import Switch
from bot.postroom import PostRoom, deliver
from tests.bot_conversations.test_outbox import THEIRS, World, world
from tests.channels.signing import MAKERS, PATIENT, account

assert world  # the fixture

QUESTION = "what is going on at the clinic"
UNDELIVERED = "reply_undelivered"


def cases(world: World) -> list[Case]:
    with world.application.database.reading() as session:
        return list(session.scalars(select(Case).order_by(Case.id)))


def reasons(world: World) -> list[str]:
    with world.application.database.reading() as session:
        return sorted(session.scalars(select(CaseReason.reason)))


def look(world: World, holder: str = "one") -> None:
    """One round of the aftercare of some worker."""
    Aftercare(world.application, holder).look()


@pytest.mark.parametrize(
    ("failed", "after"),
    [
        (PermanentFailure("no such number", code="21211"), outbox.FAILED_FOR),
        (OutcomeUnknown("time-out"), outbox.UNKNOWN_FOR),
        (TemporaryFailure("slow down", is_limit=True, retry_after_s=9999), outbox.QUEUED_FOR),
    ],
)
def test_an_answer_that_does_not_arrive_is_seen_by_a_person_once(world: World, failed: ChannelError, after: object) -> None:
    world.hears(QUESTION)
    world.phone.results = [failed] * 50
    for taken in world.take():
        deliver(world.application, taken)
    look(world)
    assert cases(world) == []
    world.clock.now += after  # type: ignore[operator]
    for _ in range(3):
        look(world)
        world.clock.advance(minutes=1)
    [case] = cases(world)
    assert (case.thread_id, case.reason) == (1, UNDELIVERED)
    assert reasons(world) == [UNDELIVERED]
    assert world.thread().owner == "bot"
    with world.application.database.reading() as session:
        entry = session.scalars(select(AuditEntry).where(AuditEntry.kind == "case.opened")).one()
        assert content_of(entry, world.application.vault)["reason"] == UNDELIVERED


def test_evidence_that_comes_in_time_calls_nobody(world: World) -> None:
    world.hears(QUESTION)
    world.phone.results = [OutcomeUnknown("time-out")] * 50
    while taken := world.take():
        deliver(world.application, taken[0])
        world.event(world.parts()[taken[0].part_id - 1], Outcome.DELIVERED)
    world.clock.advance(days=1)
    look(world)
    assert cases(world) == []


def test_a_failure_that_turns_into_a_delivery_at_once_calls_nobody(world: World) -> None:
    world.hears(QUESTION)
    world.send()
    for part in world.parts():
        world.event(part, Outcome.FAILED, code="30003")
        world.event(part, Outcome.DELIVERED)
    world.clock.advance(days=1)
    look(world)
    assert cases(world) == []


def test_many_parts_of_one_patient_are_one_case_and_two_patients_two(world: World) -> None:
    for their in (THEIRS, "+85298765432"):
        world.hears(QUESTION, their)
    world.phone.results = [PermanentFailure("blocked")] * 50
    world.send()
    world.clock.advance(minutes=5)
    look(world)
    assert [case.thread_id for case in cases(world)] == [1, 2]
    assert all(part.attended_at for part in world.parts())


def test_an_emergency_whose_help_did_not_arrive_keeps_its_priority(world: World) -> None:
    world.hears("i want to kill myself")
    world.phone.results = [PermanentFailure("no such number")] * 50
    world.send()
    world.clock.advance(minutes=5)
    look(world)
    [case] = cases(world)
    assert (case.priority, case.reason) == (0, "self_harm")
    assert reasons(world) == ["reply_undelivered", "self_harm"]


def test_of_two_workers_one_looks_and_when_it_dies_the_other(world: World) -> None:
    world.hears(QUESTION)
    world.phone.results = [PermanentFailure("no such number")] * 50
    world.send()
    look(world, "dies after this")
    world.clock.advance(seconds=70)
    both = [Aftercare(world.application, name) for name in ("two", "three")]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: one.look(), both))
    assert len(cases(world)) == 1
    assert reasons(world) == ["reply_undelivered"]


def test_who_has_stopped_and_asks_gets_nothing_and_a_person_reads_it(world: World) -> None:
    world.hears("STOP")
    world.send()
    assert cases(world) == []
    world.hears(QUESTION)
    world.hears("and when will you know more?")
    world.send()
    [case] = cases(world)
    assert case.reason == "asked_after_stop"
    assert reasons(world) == ["asked_after_stop"]
    assert len(world.phone.sent) == 1
    world.clock.advance(days=2)
    look(world)
    assert reasons(world) == ["asked_after_stop"]


def test_an_emoji_after_a_stop_calls_nobody_and_start_ends_it(world: World) -> None:
    world.hears("STOP")
    world.hears("😀")
    world.hears("START")
    world.hears(QUESTION)
    assert cases(world) == []
    world.send()
    assert any("Sentence" in one.text for one in world.phone.sent)


# ------------------------------------------------------------------ retention


def filled(world: World) -> None:
    """Turns and events of every channel, stored as hooks and read."""
    application = world.application = replace(
        world.application, channels=channels(account(world.application.settings.home), world.clock)
    )
    desk = hooks.Desk(application.channels, application.vault, application.index)
    kinds = {"sms": HookKind.TWILIO_MESSAGES, "whatsapp": HookKind.TWILIO_MESSAGES, "email": HookKind.SENDGRID_INBOUND}
    arrived = [
        (kinds[name], channel.keep(MAKERS[name].turn("What happened?", f"M{name}")))
        for name, channel in application.channels.items()
    ]
    with application.database.writing() as session:
        hooks.store(session, application.vault, arrived, world.clock())
        hooks.apply(session, desk, world.clock())


def opened(value: object, vault: Vault) -> str:
    """A stored value as it is and, when it is a hook's sealed content, opened."""
    try:
        return f"{value} {vault.open(str(value), hooks.CONTENT)}"
    except Exception:
        return str(value)


def everything(world: World) -> str:
    """Every value of every table, opened as hooks are sealed."""
    found = []
    with world.application.database.reading() as session:
        for table in Base.metadata.sorted_tables:
            found += [opened(value, world.application.vault) for row in session.execute(sa.select(table)) for value in row]
    return "\n".join(found)


def test_after_its_time_no_address_is_left_in_what_providers_posted(world: World) -> None:
    filled(world)
    assert all(one in everything(world) for one in ("chan@mail.example", "What happened?"))
    world.clock.advance(days=world.application.settings.hooks_kept_days, minutes=1)
    look(world)
    for private in (*PATIENT.values(), PATIENT["sms"][1:], "What happened?"):
        assert private not in everything(world)
    with world.application.database.reading() as session:
        rows = session.scalars(select(HookDelivery)).all()
        assert {(row.status, bool(row.provider_id), row.emptied_at) for row in rows} == {("applied", True, world.clock())}


def test_a_repeat_of_an_emptied_hook_is_still_known(world: World) -> None:
    filled(world)
    world.clock.advance(days=31)
    look(world)
    filled(world)
    with world.application.database.reading() as session:
        assert len(session.scalars(select(HookDelivery)).all()) == 3


def test_while_a_legal_hold_is_on_nothing_is_emptied(world: World) -> None:
    filled(world)
    vault, clock = world.application.vault, world.clock
    with world.application.database.writing() as session:
        switches.turn_on(session, vault, Switch.LEGAL_HOLD, by="operator", at=clock(), why="the regulator asked")
    clock.advance(days=31)
    look(world)
    assert "What happened?" in everything(world)
    with world.application.database.writing() as session:
        switches.turn_off(session, vault, Switch.LEGAL_HOLD, by="operator", at=clock(), why="it is over")
    clock.advance(minutes=1)
    look(world)
    assert "What happened?" not in everything(world)


def test_what_waits_is_never_emptied_and_what_is_young_neither(world: World) -> None:
    filled(world)
    with world.application.database.writing() as session:
        first = session.scalars(select(HookDelivery).order_by(HookDelivery.id)).first()
        assert first is not None
        session.execute(sa.update(HookDelivery).where(HookDelivery.id == first.id).values(status=HookStatus.STORED.value))
    world.clock.advance(days=29)
    look(world)
    with world.application.database.reading() as session:
        assert all(row.sealed_content for row in session.scalars(select(HookDelivery)))
    world.clock.advance(days=2)
    look(world)
    with world.application.database.reading() as session:
        kept = [row.status for row in session.scalars(select(HookDelivery)) if row.sealed_content]
    assert kept == [HookStatus.STORED]


def test_many_old_hooks_are_emptied_in_batches(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    filled(world)
    world.clock.advance(days=40)
    look(world)
    with world.application.database.reading() as session:
        assert not any(row.sealed_content for row in session.scalars(select(HookDelivery)))


# ------------------------------------------------------------------ too many letters


def test_more_letters_than_a_person_writes_are_looked_at_by_one(world: World) -> None:
    application = world.application = replace(
        world.application, channels=channels(account(world.application.settings.home), world.clock)
    )
    mail = application.channels["email"]
    arrived = [(HookKind.SENDGRID_INBOUND, mail.keep(MAKERS["email"].turn("again", f"M{number}"))) for number in range(22)]
    with application.database.writing() as session:
        hooks.store(session, application.vault, arrived, world.clock())
    room = PostRoom(application, "one")
    room.read()
    room._answerers.shutdown(wait=True)
    assert "too_many_letters" in reasons(world)
    assert PartStatus.FAILED not in world.statuses()
