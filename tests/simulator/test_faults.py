"""What goes wrong, as asked for, as drawn by seed, and as the magic recipients want it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator import faults, magic
from simulator.courier import RANKS
from simulator.faults import BadFaults, Faults
from tests.simulator.conftest import Ear, Running, until
from tests.simulator.test_sendgrid import GOOD, changed
from tests.simulator.test_webhooks import NUMBER, PATIENT, SENDGRID_SIGNATURE, events

FATES = {fate.name: number for number, fate in magic.NUMBERS.items() if not fate.code}


def texts(simulator: Running, to: str = PATIENT) -> list[str]:
    return [one["status"] for one in simulator.get("accepted")["accepted"] if one["recipient"] == to]


@given(st.integers(0, 2**64), st.sampled_from(sorted(faults.ALL)), st.text(max_size=20), st.floats(0, 1))
def test_a_draw_is_the_same_whenever_it_is_made(seed: int, name: str, key: str, rate: float) -> None:
    one, two = Faults({name: rate}, seed), Faults({name: rate}, seed)
    two.draw(name, "another")
    assert one.draw(name, key) == two.draw(name, key)
    assert not Faults({}, seed).draw(name, key)
    assert Faults({name: 1.0}, seed).draw(name, key)


def test_rates_are_kept_over_many_draws() -> None:
    one = Faults({"bounce": 0.2}, 7)
    assert 1_800 < sum(one.draw("bounce", f"p{n}") for n in range(10_000)) < 2_200


@pytest.mark.parametrize("text", ["nonsense=1", "bounce=2", "bounce=-1", "bounce=x", "missing.json"])
def test_wrong_faults_are_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(BadFaults, match=r"\w"):
        faults.parse(text)
    assert faults.parse("bounce=0.5, hang=1") == {"bounce": 0.5, "hang": 1.0}
    assert faults.parse("") == {}


def test_two_runs_with_one_seed_meet_the_same_people(make_simulator: Callable[..., Running]) -> None:
    outcomes = []
    for seed in (5, 5, 6):
        simulator = make_simulator(seed=seed, rates={"unreachable": 0.3, "spam_filter": 0.2}, speed=600.0)
        for place in range(40):
            simulator.message(To=f"+8529{place:07d}", From="#Candour", Body="x")
        simulator.settled()
        outcomes.append({one["recipient"]: one["error"] for one in simulator.get("accepted")["accepted"]})
    assert outcomes[0] == outcomes[1] != outcomes[2]
    assert {30003, 30007, None} == set(outcomes[0].values())


@pytest.mark.parametrize(
    ("fault", "status", "is_accepted"),
    [("error_500", 500, False), ("error_500_after_accept", 500, True), ("burst_429", 429, False), ("none", 201, True)],
)
def test_asked_for_faults_meet_the_next_request_only(simulator: Running, fault: str, status: int, is_accepted: bool) -> None:
    simulator.post("faults", next=[fault], burst_s=0.2)
    assert simulator.message(To=PATIENT, From=NUMBER, Body="x").status_code == status
    assert len(texts(simulator)) == is_accepted
    time.sleep(0.3)
    assert simulator.message(To=PATIENT, From=NUMBER, Body="x").status_code == 201


def test_a_time_out_after_accept_leaves_the_caller_in_doubt(simulator: Running) -> None:
    path = f"{simulator.url}/2010-04-01/Accounts/{simulator.account}/Messages.json"
    form = {"To": FATES["timeout_after_accept"], "From": NUMBER, "Body": "x"}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(path, data=form, auth=(simulator.account, simulator.token), timeout=0.5)
    simulator.settled()
    assert [one["recipient"] for one in simulator.delivered()] == [form["To"]]
    body = changed(personalizations=[{"to": [{"email": "timeout_after_accept@example.test"}]}])
    key = {"Authorization": f"Bearer {simulator.options.credentials.sendgrid_api_key}"}
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{simulator.url}/v3/mail/send", json=body, headers=key, timeout=0.5)
    simulator.settled()
    assert len(simulator.delivered(channel="email")) == 1


@contextmanager
def hanging(simulator: Running, seconds: float) -> Iterator[Future[httpx.Response]]:
    """A request while it hangs; it is accepted in the end."""
    simulator.post("faults", next=["hang"], hang_s=seconds)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(simulator.message, To=PATIENT, From=NUMBER, Body="x")
        until(lambda: simulator.world._running.get("twilio"))
        yield answer
        assert answer.result().status_code == 201


def test_a_hanging_request_hangs_nobody_else(simulator: Running) -> None:
    with hanging(simulator, 4.0) as other:
        assert simulator.message(To="+85298765432", From=NUMBER, Body="x").status_code == 201
        assert not other.done()


def test_too_many_requests_at_a_time_are_refused(simulator: Running) -> None:
    simulator.configure(twilio={"concurrency": 1})
    with hanging(simulator, 2.0):
        refused = simulator.message(To=PATIENT, From=NUMBER, Body="x")
    assert (refused.status_code, refused.json()["code"]) == (429, 20429)
    assert len(texts(simulator)) == 1


def test_a_magic_recipient_lets_the_second_try_through(simulator: Running) -> None:
    for name, status in (("error_500", 500), ("error_500_after_accept", 500)):
        answers = [simulator.message(To=FATES[name], From=NUMBER, Body="x").status_code for _ in range(2)]
        assert answers == [status, 201]


@pytest.mark.parametrize("fate", ["lose", "repeat", "delay", "reorder"])
def test_callbacks_are_lost_repeated_delayed_or_reordered(simulator: Running, ear: Ear, fate: str) -> None:
    simulator.post("faults", repeat_most=46)
    simulator.post("clock", speed=20 if fate == "reorder" else 600)
    made = simulator.message(To=FATES[fate], From=NUMBER, Body="x", StatusCallback=f"{ear.url}/cb")
    until(lambda: simulator.status(made.json()["sid"]) == "delivered")
    if fate == "delay":
        assert ear.heard == []
        simulator.post("clock", advance_s=3 * 86_400)
    simulator.settled()
    found = [one.form["MessageStatus"] for one in ear.heard]
    if fate == "lose":
        assert found == []
        assert Counter(call["problem"] for call in simulator.get("calls")["calls"]) == {"lost by a fault": 3}
    elif fate == "repeat":
        counts = Counter(found)
        assert set(counts) == {"sending", "sent", "delivered"}
        assert all(2 <= number <= 46 for number in counts.values())
    elif fate == "reorder":
        assert [RANKS[status] for status in found] == [3, 2, 1]
    else:
        assert sorted(found) == ["delivered", "sending", "sent"]
    assert len(simulator.delivered()) == 1


def test_repeated_events_come_under_other_ids_up_to_46_times(simulator: Running, ear: Ear) -> None:
    simulator.configure(sendgrid={"event_url": f"{ear.url}/events"})
    simulator.sendgrid().send(changed(personalizations=[{"to": [{"email": f"p{n}+repeat@example.test"}]} for n in range(20)]))
    simulator.settled()
    each = Counter((event["email"], event["event"]) for event in events(ear))
    assert len(each) == 40
    assert 2 <= min(each.values()) < max(each.values()) <= 46
    assert len({event["sg_event_id"] for event in events(ear)}) > 40
    assert len(simulator.delivered()) == 20


def test_a_callback_may_overtake_the_answer_to_its_create_call(simulator: Running, ear: Ear) -> None:
    answer = simulator.message(To=FATES["early"], From=NUMBER, Body="x", StatusCallback=f"{ear.url}/cb")
    ends = time.monotonic()
    assert answer.status_code == 201
    assert ear.wait(1)[0].at < ends
    simulator.configure(sendgrid={"event_url": f"{ear.url}/events", "batch_wait_s": 0})
    simulator.sendgrid().send(changed(personalizations=[{"to": [{"email": "early@example.test"}]}]))
    ends = time.monotonic()
    assert next(one.at for one in ear.heard if one.path == "/events") < ends


def test_held_webhooks_wait_and_the_world_goes_on(simulator: Running, ear: Ear) -> None:
    simulator.configure(sendgrid={"event_url": f"{ear.url}/events"})
    simulator.post("hold", held=True)
    simulator.message(To=PATIENT, From=NUMBER, Body="x", StatusCallback=f"{ear.url}/cb")
    simulator.sendgrid().send(GOOD)
    until(lambda: len(simulator.delivered()) == 2)
    time.sleep(0.3)
    assert ear.heard == []
    simulator.post("hold", held=False)
    simulator.settled()
    assert len([one for one in ear.heard if one.path == "/cb"]) == 3
    assert len(events(ear)) == 2
    assert any(SENDGRID_SIGNATURE in one.headers for one in ear.heard)
