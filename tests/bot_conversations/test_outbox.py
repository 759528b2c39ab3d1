"""The outbox over real databases: order, every kind of failure, crashes between commit and call, and evidence in any order."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr
from sqlalchemy import select

from bot.assembly import Application
from bot.base.audit import AuditEntry
from bot.base.database import Database, writing_now
from bot.base.errors import (
    AccountFailure,
    ChannelError,
    OptedOut,
    OutcomeUnknown,
    PermanentFailure,
    TemporaryFailure,
    Unconfigured,
)
from bot.base.lifecycle import may_move, move
from bot.base.settings import Settings
from bot.base.vault import BlindIndex, Vault
from bot.channels.base import DeliveryEvent, Hook, HookKind, Incoming, Kept, Outcome, Outgoing, Sent
from bot.conversations.models import Thread, Turn
from bot.conversations.post import arrivals, outbox, receipts
from bot.conversations.post.models import Part, PartStatus
from bot.postroom import PostRoom, deliver
from tests.conftest import Keys
from tests.make import FakeClock
from tests.people import FakeEngine, make_application, publish, small_content

THEIRS = "+85291234567"


@dataclass
class Phone:
    """A channel that does what it is told, and remembers what it was asked to send and whether a transaction was open."""

    results: list[Sent | ChannelError | Exception] = field(default_factory=list)
    sent: list[Outgoing] = field(default_factory=list)
    called_while_writing: bool = False
    name = "sms"
    hooks: frozenset[HookKind] = frozenset()

    def authenticate(self, hook: Hook) -> None:
        """Not asked here."""

    def keep(self, hook: Hook) -> Kept:
        """Not asked here."""
        return Kept("", {})

    def parse_incoming(self, content: Mapping[str, str]) -> list[Incoming]:
        """Not asked here."""
        return []

    def parse_events(self, content: Mapping[str, str]) -> list[DeliveryEvent]:
        """Not asked here."""
        return []

    def ask(self) -> str:
        """Not asked here."""
        return ""

    def send(self, outgoing: Outgoing) -> Sent:
        """As told, or taken."""
        self.called_while_writing |= writing_now()
        self.sent.append(outgoing)
        result = self.results.pop(0) if self.results else Sent(f"SM{len(self.sent)}")
        if isinstance(result, Exception):
            raise result
        return result


@dataclass
class World:
    """An application with one channel, and a patient on it."""

    application: Application
    phone: Phone
    clock: FakeClock
    written: int = 0

    def hears(self, text: str, their: str = THEIRS, channel: str = "sms") -> int:
        """A turn arrives and is answered; returns its thread."""
        self.written += 1
        incoming = Incoming(channel, "+85264500001", their, f"M{self.written}", text)
        application = self.application
        with application.database.writing() as session:
            thread_id, _ = arrivals.take_in(session, application.vault, application.index, incoming, received_at=self.clock())
        assert thread_id is not None
        application.inbox.answer(thread_id)
        return thread_id

    def parts(self) -> list[Part]:
        with self.application.database.reading() as session:
            return list(session.scalars(select(Part).order_by(Part.id)))

    def statuses(self) -> list[str]:
        return [part.status for part in self.parts()]

    def take(self, limit: int = 100) -> list[outbox.Taken]:
        with self.application.database.writing() as session:
            return outbox.take(session, self.application.vault, channel="sms", limit=limit, at=self.clock())

    def bury(self) -> list[int]:
        with self.application.database.writing() as session:
            return outbox.bury(session, self.clock())

    def send(self) -> int:
        """Send all that may be sent now."""
        sent = 0
        while taken := self.take():
            for part in taken:
                deliver(self.application, part)
            sent += len(taken)
        return sent

    def event(self, part: Part, outcome: Outcome, **more: object) -> str:
        event = DeliveryEvent(part.reference, part.provider_id or "SM1", outcome)
        with self.application.database.writing() as session:
            return receipts.apply(session, self.application.vault, replace(event, **more), "sms", self.clock())  # type: ignore[arg-type]

    def thread(self) -> Thread:
        with self.application.database.reading() as session:
            return session.get_one(Thread, 1)


@pytest.fixture
def world(tmp_path: Path, database: Database, vault: Vault, index: BlindIndex, keys: Keys, clock: FakeClock) -> World:
    content = small_content()
    long = " ".join(f"Sentence number {n} of a text that takes several messages." for n in range(30))
    content["wordings"]["what_happened"]["texts"]["en"]["short"] = long
    publish(database, content, clock())
    settings = Settings(_env_file=None, home=tmp_path, audit_keys=SecretStr(keys.audit))
    phone = Phone()
    made = make_application(settings, database, vault, index, clock, FakeEngine())
    return World(replace(made, channels={"sms": phone}), phone, clock)


# ------------------------------------------------------------------ laid down and sent in order


def test_a_reply_leaves_in_parts_in_order_from_the_number_the_turn_came_to(world: World) -> None:
    world.hears("what is going on at the clinic")
    assert len(world.parts()) > 2
    assert [part.place for part in world.parts()] == list(range(1, len(world.parts()) + 1))
    world.send()
    assert set(world.statuses()) == {PartStatus.SENT}
    texts = [one.text for one in world.phone.sent]
    assert texts[0].startswith("Sentence number 0")
    assert "1. data_types button en" in texts[-1]
    assert {(one.own, one.their) for one in world.phone.sent} == {("+85264500001", THEIRS)}
    assert not world.phone.called_while_writing
    assert len({one.reference for one in world.phone.sent}) == len(texts)


def test_the_address_and_the_text_are_sealed_in_the_rows(world: World) -> None:
    world.hears("what is going on at the clinic")
    rows = f"{[vars(part) for part in world.parts()]} {vars(world.thread())}"
    assert THEIRS not in rows
    assert "91234567" not in rows
    assert "Sentence" not in rows


def test_a_second_part_waits_for_the_first_and_other_threads_do_not(world: World) -> None:
    world.hears("what is going on at the clinic")
    world.hears("what is going on at the clinic", "+85298765432")
    first = world.take()
    assert [one.outgoing.their for one in first] == [THEIRS, "+85298765432"]
    assert world.take() == []
    deliver(world.application, first[1])
    assert [one.outgoing.their for one in world.take()] == ["+85298765432"]


def test_many_at_once_take_each_part_once(world: World) -> None:
    for number in range(12):
        world.hears("what is going on at the clinic", f"+8529000000{number:02}")
    with ThreadPoolExecutor(8) as pool:
        taken = [one for many in pool.map(lambda _: world.take(3), range(16)) for one in many]
    assert len({one.part_id for one in taken}) == len(taken) == 12


def test_nothing_goes_through_the_outbox_for_the_web(world: World) -> None:
    world.hears("what is going on at the clinic", channel="web")
    assert world.parts() == []


def test_the_first_reply_says_who_collects_what_and_only_the_first(world: World) -> None:
    world.hears("what is going on at the clinic")
    world.hears("what is going on at the clinic")
    world.send()
    assert sum("<collection_statement" in one.text for one in world.phone.sent) == 1


# ------------------------------------------------------------------ failures


@pytest.mark.parametrize(
    ("failed", "status", "again_after_s"),
    [
        (TemporaryFailure("busy"), PartStatus.QUEUED, 5),
        (TemporaryFailure("slow down", is_limit=True, retry_after_s=30), PartStatus.QUEUED, 31),
        (AccountFailure("no token"), PartStatus.QUEUED, outbox.MEND_WAIT_S),
        (Unconfigured("no account"), PartStatus.QUEUED, outbox.MEND_WAIT_S),
        (OutcomeUnknown("time-out"), PartStatus.UNKNOWN, None),
        (RuntimeError("a surprise"), PartStatus.UNKNOWN, None),
        (PermanentFailure("no such number", code="21211"), PartStatus.FAILED, None),
        (OptedOut("stopped", code="21610"), PartStatus.FAILED, None),
    ],
)
def test_what_happens_next_is_decided_by_the_class(
    world: World, failed: Exception, status: PartStatus, again_after_s: float | None
) -> None:
    world.hears("what is going on at the clinic")
    world.phone.results = [failed]
    [taken] = world.take()
    deliver(world.application, taken)
    part = world.parts()[0]
    assert part.status == status
    assert bool(part.reason)
    calls = len(world.phone.sent)
    if again_after_s is None:
        world.clock.advance(days=2)
        world.send()
        assert [one.reference for one in world.phone.sent].count(part.reference) == 1
    else:
        assert world.take() == []
        world.clock.advance(seconds=again_after_s)
        assert [one.part_id for one in world.take()] == [part.id]
    assert calls == 1


def test_temporary_failures_are_given_up_and_rate_limits_are_not(world: World) -> None:
    world.hears("what is going on at the clinic")
    world.phone.results = [TemporaryFailure("slow down", is_limit=True)] * 20 + [TemporaryFailure("busy")] * outbox.TRIES
    for _ in range(20 + outbox.TRIES):
        world.clock.advance(seconds=outbox.LONGEST_WAIT_S * 2)
        for taken in world.take(1):
            deliver(world.application, taken)
    assert world.parts()[0].status == PartStatus.FAILED
    assert len(world.phone.sent) == 20 + outbox.TRIES


def test_who_stopped_gets_nothing_but_the_confirmation_and_help(world: World) -> None:
    world.hears("STOP")
    world.hears("what is going on at the clinic")
    world.hears("i want to kill myself")
    world.send()
    said = " ".join(one.text for one in world.phone.sent)
    assert "<opted_out" in said
    assert "<self_harm" in said
    assert "Sentence" not in said
    assert PartStatus.WITHHELD in world.statuses()
    world.hears("START")
    assert world.thread().opted_out_at is None


def test_a_number_that_stopped_at_the_provider_is_remembered(world: World) -> None:
    world.hears("what is going on at the clinic")
    world.phone.results = [OptedOut("stopped", code="21610")]
    world.send()
    assert world.thread().opted_out_at is not None
    assert len(world.phone.sent) == 1


# ------------------------------------------------------------------ crashes


def test_killed_between_the_commit_and_the_call_it_is_unknown_and_never_sent_blindly(world: World) -> None:
    world.hears("what is going on at the clinic")
    [taken] = world.take()  # committed as submitting; the process dies here
    assert world.parts()[0].status == PartStatus.SUBMITTING
    assert world.bury() == []
    world.clock.advance(seconds=outbox.LEASE.total_seconds())
    assert world.bury() == [taken.part_id]
    assert world.parts()[0].status == PartStatus.UNKNOWN
    world.send()  # the other parts go on
    assert taken.outgoing.reference not in {one.reference for one in world.phone.sent}
    assert world.statuses()[1:] == [PartStatus.SENT] * (len(world.parts()) - 1)


def test_killed_between_the_call_and_the_conclusion_evidence_settles_it(world: World) -> None:
    world.hears("what is going on at the clinic")
    [taken] = world.take()
    world.phone.send(taken.outgoing)  # the provider has it; the process dies here
    world.clock.advance(seconds=outbox.LEASE.total_seconds())
    world.bury()
    world.event(world.parts()[0], Outcome.DELIVERED)
    assert world.parts()[0].status == PartStatus.DELIVERED
    world.send()
    assert [one.reference for one in world.phone.sent].count(taken.outgoing.reference) == 1


def test_a_conclusion_that_comes_after_the_burial_still_counts(world: World) -> None:
    world.hears("what is going on at the clinic")
    [taken] = world.take()
    world.clock.advance(seconds=outbox.LEASE.total_seconds())
    world.bury()
    deliver(world.application, taken)  # it was only very slow
    assert world.parts()[0].status == PartStatus.SENT


def test_a_callback_before_the_create_call_returned_is_not_overwritten(world: World) -> None:
    world.hears("what is going on at the clinic")
    [taken] = world.take()
    world.event(world.parts()[0], Outcome.DELIVERED)
    deliver(world.application, taken)
    assert world.parts()[0].status == PartStatus.DELIVERED
    world.event(world.parts()[0], Outcome.SENT)
    assert world.parts()[0].status == PartStatus.DELIVERED


def test_a_post_room_that_starts_anew_finishes_what_was_laid_down(world: World) -> None:
    world.hears("what is going on at the clinic")
    room, stop = PostRoom(world.application, "second"), threading.Event()
    worker = threading.Thread(target=room.run, args=(stop,))
    worker.start()
    for _ in range(100):
        if set(world.statuses()) == {PartStatus.SENT}:
            break
        stop.wait(0.05)
    stop.set()
    room.wake()
    worker.join(20)
    assert set(world.statuses()) == {PartStatus.SENT}


# ------------------------------------------------------------------ evidence


@pytest.mark.parametrize("order", list(itertools.permutations([Outcome.SENT, Outcome.FAILED, Outcome.DELIVERED])))
def test_in_every_order_delivered_wins_and_nothing_goes_back(world: World, order: tuple[Outcome, ...]) -> None:
    world.hears("what is going on at the clinic")
    [taken] = world.take()
    deliver(world.application, taken)
    part = world.parts()[0]
    for outcome in (*order, *order):
        world.event(part, outcome)
    assert world.parts()[0].status == PartStatus.DELIVERED
    with world.application.database.reading() as session:
        kinds = [entry.kind for entry in session.scalars(select(AuditEntry).where(AuditEntry.kind == "reply.delivered"))]
    assert len(kinds) == 1


@given(st.permutations([PartStatus.SENT, PartStatus.FAILED, PartStatus.DELIVERED] * 2), st.sampled_from([*PartStatus]))
def test_whatever_comes_in_whatever_order_ends_the_same(order: list[PartStatus], begin: PartStatus) -> None:
    part = Part(status=begin.value)
    for to in order:
        if may_move(part, to):
            move(part, to)
    # What is held goes out anew under another reference: no evidence is about it.
    stays = begin in (PartStatus.WITHHELD, PartStatus.HELD)
    assert part.status == (begin if stays else PartStatus.DELIVERED)


def test_a_failure_says_why_in_words_and_a_block_is_an_opt_out(world: World) -> None:
    world.hears("what is going on at the clinic")
    [taken] = world.take()
    deliver(world.application, taken)
    world.event(world.parts()[0], Outcome.FAILED, code="63014", reason="the patient has blocked us", opts_out=True)
    part = world.parts()[0]
    assert (part.status, part.code, part.reason) == (PartStatus.FAILED, "63014", "the patient has blocked us")
    assert world.thread().opted_out_at is not None


def test_an_event_without_our_reference_is_found_by_the_providers_id(world: World) -> None:
    world.hears("what is going on at the clinic")
    [taken] = world.take()
    deliver(world.application, taken)
    assert world.event(world.parts()[0], Outcome.DELIVERED, reference="") == ""
    assert world.event(world.parts()[0], Outcome.DELIVERED, reference="", provider_id="SM404") == "unknown_reference"


def test_one_address_has_one_line_under_every_live_key(world: World, keys: Keys) -> None:
    from bot.base.vault import new_key

    first = world.hears("what is going on at the clinic")
    rotated = BlindIndex(f"{new_key('i2')},{keys.index}")
    world.application = replace(world.application, index=rotated)
    assert world.hears("what is going on at the clinic") == first
    with world.application.database.reading() as session:
        assert len(session.scalars(select(Turn)).all()) == 2


def counted(world: World) -> Callable[[], dict[str, int]]:
    """How many parts are in each status."""

    def count() -> dict[str, int]:
        with world.application.database.reading() as session:
            return outbox.counts(session)

    return count


def test_the_outbox_can_be_counted(world: World) -> None:
    world.hears("what is going on at the clinic")
    count = counted(world)
    assert set(count()) == {"queued"}
    world.send()
    assert set(count()) == {"sent"}
