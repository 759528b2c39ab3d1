"""The official Twilio library against the simulator."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from twilio.rest.content.v1.content import ContentList
from twilio.rest.content.v1.content.approval_create import ApprovalCreateList

from simulator import magic
from simulator.clock import Clock
from simulator.configuration import Configuration
from simulator.faults import TEXTS, Faults
from simulator.twilio.sending import plan
from simulator.twilio.status import MOVES, Status
from simulator.twilio.validation import Wanted
from tests.simulator.conftest import Running, until

PATIENT = "+85291234567"
NUMBER = "+85264500001"
WHATSAPP = "whatsapp:+85264500003"
SERVICE = "MG" + "0" * 31 + "1"


def code_of(simulator: Running, **fields: object) -> tuple[int, int]:
    with pytest.raises(TwilioRestException) as caught:
        simulator.twilio().messages.create(**{"to": PATIENT, "from_": NUMBER, "body": "x", **fields})  # type: ignore[arg-type]
    return caught.value.status, caught.value.code or 0


def test_a_text_is_accepted_delivered_and_shown_as_twilio_shows_it(simulator: Running) -> None:
    client = simulator.twilio()
    made = client.messages.create(to=PATIENT, from_=NUMBER, body="你好" * 40)
    assert (made.status, made.num_segments, made.direction, made.price) == ("queued", "2", "outbound-api", None)
    assert made.sid
    assert made.sid.startswith("SM")
    until(lambda: client.messages(str(made.sid)).fetch().status == "delivered")
    found = client.messages(str(made.sid)).fetch()
    assert (found.from_, found.to, found.body, found.error_code) == (NUMBER, PATIENT, "你好" * 40, None)
    assert found.price
    assert float(found.price) < 0
    assert found.date_sent
    assert found.date_created
    (arrived,) = simulator.delivered(channel="sms")
    assert (arrived["id"], arrived["recipient"], arrived["text"]) == (made.sid, PATIENT, "你好" * 40)


def test_a_messaging_service_accepts_first_and_keeps_its_sender_for_a_recipient(simulator: Running) -> None:
    client = simulator.twilio()
    made = client.messages.create(to=PATIENT, messaging_service_sid=SERVICE, body="“Hello”")
    assert (made.status, made.from_, made.num_segments) == ("accepted", None, "0")
    assert made.body == '"Hello"', "smart encoding is on for a service"
    simulator.settled()
    again = client.messages.create(to=PATIENT, messaging_service_sid=SERVICE, body="more")
    simulator.settled()
    senders = {client.messages(str(one.sid)).fetch().from_ for one in (made, again)}
    assert len(senders) == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"to": ""}, 21604),
        ({"to": "12345"}, 21211),
        ({"to": "+8529123456"}, 21211),
        ({"to": "'; DROP TABLE texts; --"}, 21211),
        ({"to": "+33612345678"}, 21408),
        ({"to": "+85221234567"}, 21614),
        ({"to": NUMBER}, 21266),
        ({"from_": ""}, 21603),
        ({"from_": "+85264599999"}, 21606),
        ({"from_": "#Unknown"}, 21606),
        ({"from_": "???"}, 21212),
        ({"from_": WHATSAPP}, 21910),
        ({"to": f"whatsapp:{PATIENT}"}, 21910),
        ({"to": f"whatsapp:{PATIENT}", "from_": "whatsapp:+85264599999"}, 63007),
        ({"from_": "", "messaging_service_sid": "MG" + "9" * 32}, 21701),
        ({"body": ""}, 21619),
        ({"body": "x" * 1601}, 21617),
        ({"status_callback": "not a url"}, 21609),
        ({"status_callback": "ftp://example.test/x"}, 21609),
        ({"media_url": ["nonsense"]}, 21620),
        ({"media_url": [f"https://example.test/{n}" for n in range(11)]}, 21623),
        ({"content_sid": "HX" + "9" * 32, "body": ""}, 21655),
        ({"validity_period": 0}, 20001),
        ({"validity_period": 36_001}, 20001),
        ({"schedule_type": "fixed"}, 35118),
        ({"schedule_type": "fixed", "messaging_service_sid": SERVICE}, 35111),
        ({"schedule_type": "fixed", "messaging_service_sid": SERVICE, "send_at": "tomorrow"}, 35115),
        ({"content_retention": "maybe"}, 20001),
    ],
)
def test_what_twilio_refuses_at_once_is_refused_with_its_code(simulator: Running, fields: dict[str, object], code: int) -> None:
    assert code_of(simulator, **fields)[1] == code
    assert simulator.get("accepted")["accepted"] == []


def test_every_magic_number_meets_its_refusal(simulator: Running) -> None:
    for number, fate in magic.NUMBERS.items():
        if fate.code:
            assert code_of(simulator, to=number)[1] == fate.code
    for sender, code in magic.SENDERS.items():
        assert code_of(simulator, from_=sender)[1] == code


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_magic_number_meets_its_later_error(simulator: Running, name: str) -> None:
    number = next(number for number, fate in magic.NUMBERS.items() if fate.name == name)
    is_whatsapp = "WhatsApp only" in TEXTS[name]
    to, sender = (f"whatsapp:{number}", WHATSAPP) if is_whatsapp else (number, NUMBER)
    if is_whatsapp:
        simulator.post("inbound", channel="whatsapp", patient=number, to=WHATSAPP, text="hello")
    made = simulator.twilio().messages.create(to=to, from_=sender, body="x", validity_period=60)
    simulator.settled()
    found = simulator.twilio().messages(str(made.sid)).fetch()
    assert f"{found.status}, {found.error_code}" in TEXTS[name]
    assert found.error_message
    assert simulator.delivered(channel="sms") == []


def test_any_recipient_may_be_given_any_code(simulator: Running) -> None:
    simulator.configure(fates={PATIENT: 63014, "+85290000001": 21614, "+85290000002": 30111, "+85290000003": "landline"})
    assert code_of(simulator, to="+85290000001")[1] == 21614
    for to in (PATIENT, "+85290000002", "+85290000003"):
        simulator.message(To=to, From=NUMBER, Body="x")
    simulator.settled()
    found = [(one["status"], one["error"]) for one in simulator.get("accepted")["accepted"]]
    assert found == [("undelivered", 63014), ("failed", 30111), ("undelivered", 30006)]


def test_strangers_get_nothing(simulator: Running) -> None:
    path = f"/2010-04-01/Accounts/{simulator.account}/Messages.json"
    other = f"/2010-04-01/Accounts/AC{'0' * 32}/Messages.json"
    tries = [
        simulator.raw("GET", path),
        simulator.raw("GET", path, auth=(simulator.account, "wrong")),
        simulator.raw("GET", path, auth=("", "")),
        simulator.raw("GET", path, headers={"Authorization": "Basic %%%"}),
        simulator.raw("GET", path, headers={"Authorization": f"Bearer {simulator.token}"}),
        simulator.raw("GET", other, auth=(simulator.account, simulator.token)),
        simulator.raw("POST", path, data={"To": PATIENT, "From": NUMBER, "Body": "x"}),
    ]
    for response in tries:
        assert response.status_code == 401
        assert response.json()["code"] == 20003
    assert simulator.get("accepted")["accepted"] == []


def test_an_api_key_opens_the_account_too(simulator: Running) -> None:
    own = simulator.options.credentials
    client = Client(own.twilio_key_sid, own.twilio_key_secret, own.twilio_account_sid)
    client.api.base_url = simulator.url
    assert client.messages.create(to=PATIENT, from_=NUMBER, body="x").sid


def test_lists_are_paged_and_filtered(simulator: Running) -> None:
    client = simulator.twilio()
    for place in range(7):
        client.messages.create(to=PATIENT if place % 2 else "+85298765432", from_=NUMBER, body=str(place))
    assert [one.body for one in client.messages.list(page_size=2)] == ["6", "5", "4", "3", "2", "1", "0"]
    assert [one.body for one in client.messages.list(to=PATIENT)] == ["5", "3", "1"]
    assert [one.body for one in client.messages.list(limit=3, page_size=3)] == ["6", "5", "4"]
    long_ago, soon = datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC) + timedelta(days=3_000)
    assert client.messages.list(date_sent_before=long_ago) == []
    assert len(client.messages.list(date_sent_after=long_ago, date_sent_before=soon)) == 7


def test_a_text_can_be_redacted_and_deleted_once_it_is_done(simulator: Running) -> None:
    simulator.post("clock", speed=1)
    client = simulator.twilio()
    made = client.messages.create(to=PATIENT, from_=NUMBER, body="secret")
    for act in (lambda: client.messages(str(made.sid)).update(body=""), lambda: client.messages(str(made.sid)).delete()):
        with pytest.raises(TwilioRestException) as caught:
            act()
        assert caught.value.code == 20009
    simulator.post("clock", speed=600)
    simulator.settled()
    assert client.messages(str(made.sid)).update(body="").body == ""
    assert client.messages(str(made.sid)).delete()
    with pytest.raises(TwilioRestException) as gone:
        client.messages(str(made.sid)).fetch()
    assert (gone.value.status, gone.value.code) == (404, 20404)
    assert len(simulator.delivered(channel="sms")) == 1, "the log of what arrived forgets nothing"


def test_a_scheduled_text_can_be_canceled_and_a_delivered_one_cannot(simulator: Running) -> None:
    simulator.post("clock", speed=1)
    client = simulator.twilio()
    at = datetime.fromtimestamp(simulator.world.clock.now(), UTC) + timedelta(hours=2)
    made = [
        client.messages.create(to=PATIENT, messaging_service_sid=SERVICE, body=body, schedule_type="fixed", send_at=at)
        for body in ("never", "later")
    ]
    assert [one.status for one in made] == ["scheduled", "scheduled"]
    assert client.messages(str(made[0].sid)).update(status="canceled").status == "canceled"
    simulator.post("clock", advance_s=7_300, speed=600)
    simulator.settled()
    assert [one["text"] for one in simulator.delivered(channel="sms")] == ["later"]
    with pytest.raises(TwilioRestException) as caught:
        client.messages(str(made[1].sid)).update(status="canceled")
    assert caught.value.code == 30409


def test_an_sms_sender_sends_no_faster_than_its_segments_a_second_and_its_line_is_bounded(simulator: Running) -> None:
    simulator.post("clock", speed=1)
    simulator.configure(twilio={"senders": [{"number": NUMBER, "mps": 0.5}, {"number": "+85264500009", "mps": 0.001}]})
    client = simulator.twilio()
    for _ in range(4):
        client.messages.create(to=PATIENT, from_=NUMBER, body="你" * 134)
    simulator.post("clock", advance_s=9.5)
    until(lambda: sum(one.status not in ("queued",) for one in client.messages.list(from_=NUMBER)) == 3)
    for _ in range(37):
        assert simulator.message(To=PATIENT, From="+85264500009", Body="x").status_code == 201
    full = simulator.message(To=PATIENT, From="+85264500009", Body="x")
    assert full.json()["code"] == 21611


def test_what_waits_longer_than_its_validity_fails(simulator: Running) -> None:
    simulator.configure(twilio={"senders": [{"number": NUMBER, "mps": 0.01}]})
    client = simulator.twilio()
    client.messages.create(to=PATIENT, from_=NUMBER, body="x")
    late = client.messages.create(to=PATIENT, from_=NUMBER, body="y", validity_period=30)
    simulator.settled()
    found = client.messages(str(late.sid)).fetch()
    assert (found.status, found.error_code) == ("failed", 30036)


def test_whatsapp_needs_the_window_or_an_approved_template(simulator: Running) -> None:
    client, to = simulator.twilio(), f"whatsapp:{PATIENT}"
    types = {"twilio/text": {"body": "For {{1}}: news."}}
    wanted = {"friendly_name": "notice", "language": "en", "variables": {"1": "you"}, "types": types}
    template = client.content.v1.contents.create(ContentList.ContentCreateRequest(wanted))

    def outcome(**fields: str) -> tuple[str | None, int | None]:
        made = client.messages.create(to=to, from_=WHATSAPP, **fields)  # type: ignore[arg-type]
        simulator.settled()
        found = client.messages(str(made.sid)).fetch()
        return found.status if found.status != "read" else "delivered", found.error_code

    filled = {"content_sid": str(template.sid), "content_variables": '{"1": "Mr Wong"}'}
    assert outcome(body="free") == ("failed", 63016)
    assert outcome(**filled) == ("failed", 63016), "not approved yet"
    request = ApprovalCreateList.ContentApprovalRequest({"name": "notice", "category": "UTILITY"})
    asked = client.content.v1.contents(str(template.sid)).approval_create.create(request)
    assert asked.status == "approved"
    assert outcome(**filled) == ("delivered", None)
    assert simulator.delivered(channel="whatsapp")[-1]["text"] == "For Mr Wong: news."
    simulator.post("clock", speed=1)
    simulator.post("inbound", channel="whatsapp", patient=PATIENT, to=WHATSAPP, text="hello")
    simulator.post("clock", speed=60)
    assert outcome(body="free") == ("delivered", None)
    simulator.post("clock", advance_s=25 * 3_600, speed=600)
    assert outcome(body="free") == ("failed", 63016)
    assert simulator.message(To=to, From=WHATSAPP, ContentSid=str(template.sid), ContentVariables="{").json()["code"] == 21656


def test_the_account_owns_approved_templates_until_their_approval_is_taken_away(simulator: Running) -> None:
    client, to = simulator.twilio(), f"whatsapp:{PATIENT}"
    owned = client.content.v1.contents.list()
    assert {one.language for one in owned} >= {"en", "zh_HK", "zh_CN"}
    sid = str(owned[0].sid)
    assert (client.content.v1.contents(sid).approval_fetch().fetch().whatsapp or {})["status"] == "approved"
    client.messages.create(to=to, from_=WHATSAPP, content_sid=sid)
    simulator.settled()
    assert "we have an answer" in simulator.delivered(channel="whatsapp")[-1]["text"]
    simulator.post("templates", sid=sid, body="We have an answer.", approval="paused")
    made = client.messages.create(to=to, from_=WHATSAPP, content_sid=sid)
    simulator.settled()
    assert client.messages(str(made.sid)).fetch().error_code == 63016


@given(
    seed=st.integers(0, 2**32),
    rates=st.dictionaries(st.sampled_from(sorted(TEXTS)), st.floats(0, 1), max_size=4),
    wait=st.floats(0, 40_000),
    is_pooled=st.booleans(),
    is_whatsapp=st.booleans(),
    delay=st.none() | st.floats(300, 10_000),
)
@settings(max_examples=300, deadline=None)
def test_every_life_is_a_path_of_allowed_moves_in_time_that_ends(
    seed: int, rates: dict[str, float], wait: float, is_pooled: bool, is_whatsapp: bool, delay: float | None
) -> None:
    class Place:
        faults = Faults(rates, seed)
        clock = Clock(real=lambda: 0.0)
        configuration = Configuration()

    is_scheduled = delay is not None and is_pooled
    wanted = Wanted(
        channel="whatsapp" if is_whatsapp else "sms",
        recipient=f"whatsapp:{PATIENT}" if is_whatsapp else PATIENT,
        sender=None if is_pooled else NUMBER,
        service=None,
        body="x",
        content={"sid": "HX", "is_approved": True} if is_whatsapp else None,
        send_at=Place.clock.now() + delay if delay is not None and is_scheduled else None,
    )
    steps = plan(Place(), wanted, "key", wait=wait)  # type: ignore[arg-type]
    now = Status.SCHEDULED if is_scheduled else Status.ACCEPTED if is_pooled else Status.QUEUED
    assert [step.after for step in steps] == sorted(step.after for step in steps)
    for step in steps:
        if step.status is not None:
            assert step.status in MOVES[now]
            now = step.status
    assert now in (Status.DELIVERED, Status.READ, Status.UNDELIVERED, Status.FAILED, Status.SENT)
    assert sum(step.arrives for step in steps) == (now in (Status.DELIVERED, Status.READ))
    assert [bool(step.error) for step in steps if step.status in (Status.FAILED, Status.UNDELIVERED)] in ([], [True])
