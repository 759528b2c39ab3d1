"""Events leave: signed, in order, again after failures, never lost, and nowhere they must not go."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from bot.base.audit import AuditEntry
from bot.base.errors import BadInput, IllegalMove
from bot.desk.integrations import delivering, endpoints
from bot.desk.integrations.addresses import Reach
from bot.desk.integrations.models import DeliveryStatus, EndpointStatus, WebhookDelivery, WebhookEndpoint, WebhookEvent
from bot.desk.integrations.posting import Answered, post
from bot.desk.staff.roles import Role
from bot.desk.work import claims
from tests.desk.conftest import Desk
from tests.desk.integrations.conftest import DEVELOPMENT, Got, Receiver, registered, room_of, verified


def deliveries(desk: Desk) -> list[WebhookDelivery]:
    with desk.database.reading() as session:
        return list(session.query(WebhookDelivery).order_by(WebhookDelivery.id))


def endpoint(desk: Desk, number: int = 1) -> WebhookEndpoint:
    with desk.database.reading() as session:
        return session.get_one(WebhookEndpoint, number)


def until_quiet(desk: Desk, room: delivering.WebhookRoom, hours: float, step_s: float = 60) -> None:
    """Go round for so many hours."""
    for _ in range(int(hours * 3600 / step_s)):
        room.tick()
        desk.clock.advance(seconds=step_s)


def until_empty(room: delivering.WebhookRoom) -> None:
    """Post all that is due, however little a slow machine manages in one go."""
    while room.tick():
        pass


def test_a_post_can_be_checked_by_the_specification_alone(desk: Desk, receiver: Receiver) -> None:
    made = registered(desk, receiver.url, "case.opened")
    case_id = desk.case()
    assert room_of(desk).tick() == 1
    (got,) = receiver.got
    now = desk.clock().timestamp()
    assert verified(made.secret, got.headers, got.body, now)
    assert not verified(made.secret, got.headers, got.body + b" ", now)
    assert not verified(made.secret, {**got.headers, "webhook-id": "msg_other"}, got.body, now)
    assert not verified(made.secret, got.headers, got.body, now + 3600)
    assert got.document["type"] == "case.opened"
    assert got.document["data"]["case"] == desk.look(case_id).number
    assert got.document["data"]["link"] == f"https://help.example.hk/desk/cases/{case_id}"
    assert got.headers["content-type"] == "application/json"
    assert [one.status for one in deliveries(desk)] == [DeliveryStatus.DELIVERED]
    assert room_of(desk).tick() == 0


def test_while_a_secret_is_changed_both_sign_and_after_a_day_the_new_one_alone(desk: Desk, receiver: Receiver) -> None:
    old, admin = registered(desk, receiver.url), desk.colleague(Role.ADMIN)
    with desk.database.writing() as session:
        new = endpoints.rotate(session, desk.vault, 1, by=admin, at=desk.clock())
    assert new.secret != old.secret
    desk.case()
    room_of(desk).tick()
    desk.clock.advance(hours=25)
    desk.case()
    room_of(desk).tick()
    both, alone = receiver.got
    at = desk.clock().timestamp()
    assert [verified(one.secret, both.headers, both.body, at - 25 * 3600) for one in (old, new)] == [True, True]
    assert [verified(one.secret, alone.headers, alone.body, at) for one in (old, new)] == [False, True]


def test_what_is_not_taken_is_tried_for_a_day_with_the_same_id_and_body(desk: Desk, receiver: Receiver) -> None:
    registered(desk, receiver.url, "case.opened")
    desk.case()
    receiver.answer = lambda _: (503, {})
    until_quiet(desk, room_of(desk), hours=20)
    tries = len(receiver.got)
    assert tries > 6
    receiver.answer = lambda _: (200, {})
    until_quiet(desk, room_of(desk), hours=9)
    assert len(receiver.got) == tries + 1
    assert len({(got.uid, got.body) for got in receiver.got}) == 1
    assert len({got.headers["webhook-timestamp"] for got in receiver.got}) == tries + 1
    assert deliveries(desk)[0].status == DeliveryStatus.DELIVERED
    assert endpoint(desk).failures == 0


def test_the_waits_grow_and_are_not_all_alike() -> None:
    assert timedelta(hours=22) < sum(delivering.DELAYS, timedelta()) < timedelta(hours=27)
    assert list(delivering.DELAYS) == sorted(delivering.DELAYS)
    rooms = [delivering.WebhookRoom.__new__(delivering.WebhookRoom) for _ in range(2)]
    for room, chance in zip(rooms, (0.0, 1.0), strict=True):
        room._chance = lambda chance=chance: chance  # type: ignore[misc]
    shortest, longest = (room._jittered(timedelta(seconds=100)) for room in rooms)
    assert (shortest, longest) == (timedelta(seconds=80), timedelta(seconds=120))


def test_an_endpoint_that_takes_nothing_for_a_day_rests_and_loses_nothing(desk: Desk, receiver: Receiver) -> None:
    registered(desk, receiver.url, "case.opened")
    first, admin = desk.case(), desk.colleague(Role.ADMIN)
    receiver.answer = lambda _: (500, {})
    room = room_of(desk)
    until_quiet(desk, room, hours=12, step_s=120)
    second = desk.case()
    until_quiet(desk, room, hours=16, step_s=120)
    assert endpoint(desk).status == EndpointStatus.RESTING
    third, tries = desk.case(), len(receiver.got)
    until_quiet(desk, room, hours=2, step_s=120)
    assert len(receiver.got) == tries
    with desk.database.reading() as session:
        assert [one.id for one in endpoints.resting(session)] == [1]
    receiver.answer = lambda _: (204, {})
    with desk.database.writing() as session:
        endpoints.turn_on(session, desk.vault, 1, by=admin, at=desk.clock())
    until_empty(room)
    taken = {got.document["data"]["case"] for got in receiver.got[tries:]}
    waiting = {one.status for one in deliveries(desk)} - {DeliveryStatus.DELIVERED, DeliveryStatus.FAILED}
    assert waiting == set()
    assert {desk.look(one).number for one in (second, third)} <= taken
    given_up = [one for one in deliveries(desk) if one.status == DeliveryStatus.FAILED]
    for one in given_up:
        with desk.database.writing() as session:
            endpoints.again(session, desk.vault, one.id, endpoint_id=1, by=admin, at=desk.clock())
    until_empty(room)
    assert desk.look(first).number in {got.document["data"]["case"] for got in receiver.got[tries:]}
    assert {one.status for one in deliveries(desk)} == {DeliveryStatus.DELIVERED}


def test_gone_means_gone(lite: Desk, receiver: Receiver) -> None:
    registered(lite, receiver.url)
    lite.case()
    receiver.answer = lambda _: (410, {})
    room_of(lite).tick()
    assert endpoint(lite).status == EndpointStatus.RESTING


def test_who_asks_us_to_wait_is_waited_for(lite: Desk, receiver: Receiver) -> None:
    registered(lite, receiver.url)
    lite.case()
    receiver.answer = lambda _: (429, {"Retry-After": "900"})
    room = room_of(lite)
    until_quiet(lite, room, hours=0.24)
    assert len(receiver.got) == 1
    until_quiet(lite, room, hours=0.1)
    assert len(receiver.got) == 2


def test_events_of_one_case_come_in_order_and_hold_up_no_other_case(desk: Desk, receiver: Receiver) -> None:
    registered(desk, receiver.url)
    stuck, agent = desk.case(), desk.colleague()
    with desk.database.writing() as session:
        claims.claim(session, desk.vault, stuck, agent, desk.clock())
    other = desk.case()
    number = desk.look(stuck).number
    refuses = [True]

    def answer(got: Got) -> tuple[int, dict[str, str]]:
        return (400 if refuses[0] and got.document["data"]["case"] == number else 200, {})

    receiver.answer = answer
    room = room_of(desk)
    until_quiet(desk, room, hours=0.1, step_s=6)
    cases = [(got.document["data"]["case"], got.document["type"]) for got in receiver.got]
    assert (desk.look(other).number, "case.opened") in cases
    assert (number, "case.claimed") not in cases
    refuses[0] = False
    until_quiet(desk, room, hours=1)
    of_stuck = [got.document["type"] for got in receiver.got if got.document["data"]["case"] == number]
    assert of_stuck[-2:] == ["case.opened", "case.claimed"]
    assert {one.status for one in deliveries(desk)} == {DeliveryStatus.DELIVERED}


def test_two_workers_post_every_event_once(desk: Desk, receiver: Receiver) -> None:
    registered(desk, receiver.url, "case.opened")
    for _ in range(20):
        desk.case()
    rooms = [room_of(desk, holder=name) for name in ("one", "two", "three")]
    threads = [threading.Thread(target=room.tick) for room in rooms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    rooms[0].tick()
    assert len(receiver.got) == len({got.uid for got in receiver.got}) == 20


def test_a_worker_that_dies_in_the_middle_leaves_the_event_and_it_comes_under_the_same_id(desk: Desk, receiver: Receiver) -> None:
    registered(desk, receiver.url, "case.opened")
    desk.case()

    class Killed(BaseException):
        """The process is gone, after the other side has it and before we know."""

    def post_and_die(*arguments: object, **more: object) -> Answered:
        assert post(*arguments, **more).is_taken  # type: ignore[arg-type]
        raise Killed

    dying = room_of(desk, holder="dying", send=post_and_die)
    dying._let_go = lambda endpoint_id: None  # type: ignore[method-assign]
    with pytest.raises(Killed):
        dying.tick()
    successor = room_of(desk, holder="successor")
    assert successor.tick() == 0, "the dead one still holds the endpoint"
    desk.clock.advance(seconds=61)
    assert successor.tick() == 1
    assert [got.uid for got in receiver.got] == [receiver.got[0].uid] * 2
    assert receiver.got[0].body == receiver.got[1].body
    assert deliveries(desk)[0].status == DeliveryStatus.DELIVERED


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_nobody_is_followed_elsewhere(lite: Desk, receiver: Receiver, status: int) -> None:
    registered(lite, receiver.url)
    lite.case()
    receiver.answer = lambda _: (status, {"Location": f"{receiver.url}/elsewhere"})
    room_of(lite).tick()
    assert len(receiver.got) == 1
    assert deliveries(lite)[0].problem == "it points elsewhere, which is not followed"


def test_an_address_that_became_private_is_not_posted_to(lite: Desk, receiver: Receiver) -> None:
    registered(lite, receiver.url)
    lite.case()
    room_of(lite, reach=Reach()).tick()
    assert receiver.got == []
    assert deliveries(lite)[0].problem == "the address is not allowed"


def test_what_is_off_is_written_nothing_and_posted_nothing(lite: Desk, receiver: Receiver) -> None:
    registered(lite, receiver.url)
    admin = lite.colleague(Role.ADMIN)
    lite.case()
    with lite.database.writing() as session:
        endpoints.turn_off(session, lite.vault, 1, by=admin, at=lite.clock())
    lite.case()
    room_of(lite).tick()
    assert (len(deliveries(lite)), receiver.got) == (1, [])
    with pytest.raises(IllegalMove), lite.database.writing() as session:
        endpoints.turn_off(session, lite.vault, 1, by=admin, at=lite.clock())
    with lite.database.writing() as session:
        endpoints.remove(session, lite.vault, 1, by=admin, at=lite.clock())
    assert deliveries(lite) == []


def test_old_posts_are_forgotten_and_waiting_ones_are_not(lite: Desk, receiver: Receiver) -> None:
    registered(lite, receiver.url)
    lite.case()
    room_of(lite).tick()
    registered(lite, "http://127.0.0.1:9/nobody", name="Nobody there")
    lite.case()
    room_of(lite).tick()
    lite.clock.advance(days=31)
    room_of(lite, send=lambda *_: Answered(problem="nobody answers")).tick()
    with lite.database.reading() as session:
        assert session.query(WebhookEvent).count() == 1
    assert {(one.endpoint_id, one.status) for one in deliveries(lite)} == {(1, "delivered"), (2, "waiting")}


def test_only_who_may_manages_endpoints_and_every_act_is_in_the_log(lite: Desk, receiver: Receiver) -> None:
    lead, admin = lite.colleague(Role.LEAD), lite.colleague(Role.ADMIN)
    with lite.database.writing() as session, pytest.raises(BadInput, match="role does not allow"):
        endpoints.register(session, lite.vault, DEVELOPMENT, name="mine", url=receiver.url, events=(), by=lead, at=lite.clock())
    registered(lite, receiver.url)
    with lite.database.writing() as session:
        endpoints.change(session, lite.vault, DEVELOPMENT, 1, name="renamed", by=admin, at=lite.clock())
        endpoints.rotate(session, lite.vault, 1, by=admin, at=lite.clock())
        with pytest.raises(BadInput, match="no such event"):
            endpoints.change(session, lite.vault, DEVELOPMENT, 1, events=["case.nonsense"], by=admin, at=lite.clock())
    with lite.database.reading() as session:
        kinds = [row.kind for row in session.query(AuditEntry) if row.subject == "webhook:1"]
        row = session.get_one(WebhookEndpoint, 1)
    assert kinds == ["webhook.registered", "webhook.changed", "webhook.secret_changed"]
    assert receiver.url not in row.sealed_url
    assert "whsec" not in row.sealed_secret
