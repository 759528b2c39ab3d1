"""What the simulator posts, checked by both providers' own validators."""

from __future__ import annotations

import json
import time
from collections import Counter
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sendgrid.helpers.eventwebhook import EventWebhook
from starlette.responses import Response
from twilio.request_validator import RequestValidator
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from simulator.options import Credentials
from simulator.signatures import Signer
from tests.simulator.conftest import Ear, Heard, Running, until
from tests.simulator.test_sendgrid import GOOD, changed

PATIENT = "+85291234567"
NUMBER = "+85264500001"
WHATSAPP = "whatsapp:+85264500003"
SENDGRID_SIGNATURE = "x-twilio-email-event-webhook-signature"
SENDGRID_TIMESTAMP = "x-twilio-email-event-webhook-timestamp"


def is_twilios(simulator: Running, ear: Ear, heard: Heard) -> bool:
    url = f"{ear.url}{heard.path}" + (f"?{heard.query}" if heard.query else "")
    return RequestValidator(simulator.token).validate(url, heard.form, heard.headers["x-twilio-signature"])


def is_sendgrids(simulator: Running, heard: Heard) -> bool:
    key = simulator.sendgrid().client.user.webhooks.event.settings.signed.get().to_dict["public_key"]
    headers = heard.headers
    return EventWebhook(key).verify_signature(heard.body.decode(), headers[SENDGRID_SIGNATURE], headers[SENDGRID_TIMESTAMP])


def events(ear: Ear) -> list[dict[str, Any]]:
    return [event for heard in ear.heard if heard.path == "/events" for event in json.loads(heard.body)]


def test_status_callbacks_are_signed_as_twilio_signs_and_come_for_each_change(simulator: Running, ear: Ear) -> None:
    made = simulator.twilio().messages.create(
        to=PATIENT, from_=NUMBER, body="x", status_callback=f"{ear.url}/cb/7?a=1&b=%E4%BD%A0"
    )
    heard = ear.wait(3, "/cb/7")
    assert sorted(one.form["MessageStatus"] for one in heard) == ["delivered", "sending", "sent"]
    for one in heard:
        assert is_twilios(simulator, ear, one)
        assert one.headers["content-type"].startswith("application/x-www-form-urlencoded")
        assert one.headers["i-twilio-idempotency-token"]
        assert (one.form["MessageSid"], one.form["To"], one.form["AccountSid"]) == (made.sid, PATIENT, simulator.account)
    forged = Heard(heard[0].path, heard[0].query, heard[0].headers, heard[0].body.replace(b"AccountSid=AC", b"AccountSid=AX"))
    assert not is_twilios(simulator, ear, forged)


@given(
    url=st.text(alphabet="abc/?=&%20", max_size=30)
    .map(lambda end: f"http://127.0.0.1:8080/{end}")
    .filter(lambda url: urlsplit(url).geturl() == url),
    form=st.dictionaries(st.text(min_size=1, max_size=10), st.text(max_size=50), max_size=8),
)
def test_any_form_is_signed_as_twilios_validator_wants_it(url: str, form: dict[str, str]) -> None:
    signer = Signer(CREDENTIALS.signing_key, CREDENTIALS.twilio_auth_token)
    signature = signer.twilio(url, form)["X-Twilio-Signature"]
    assert RequestValidator(CREDENTIALS.twilio_auth_token).validate(url, form, signature)
    assert not RequestValidator("other").validate(url, form, signature)


@given(st.text(max_size=300), st.integers(0, 2**40))
def test_any_body_is_signed_as_sendgrids_validator_wants_it(body: str, stamp: int) -> None:
    signer = Signer(CREDENTIALS.signing_key, "t")
    signature = signer.sendgrid(body.encode(), str(stamp))["X-Twilio-Email-Event-Webhook-Signature"]
    webhook = EventWebhook(signer.public_key)
    assert webhook.verify_signature(body, signature, str(stamp))
    assert not webhook.verify_signature(body, signature, str(stamp + 1))


CREDENTIALS = Credentials()


def test_events_come_in_signed_batches_with_our_arguments(simulator: Running, ear: Ear) -> None:
    simulator.configure(sendgrid={"event_url": f"{ear.url}/events"})
    people = [{"to": [{"email": f"p{n}@example.test"}], "custom_args": {"send": f"s{n}"}} for n in range(200)]
    response = simulator.sendgrid().send(changed(personalizations=people, categories=["notice"], custom_args={"campaign": "c1"}))
    until(lambda: len(events(ear)) >= 400)
    simulator.settled()
    assert Counter(event["event"] for event in events(ear)) == {"processed": 200, "delivered": 200}
    assert {event["send"] for event in events(ear)} == {f"s{n}" for n in range(200)}
    for event in events(ear):
        assert event["sg_message_id"].startswith(response.headers["X-Message-Id"])
        assert (event["campaign"], event["category"]) == ("c1", ["notice"])
    assert len(ear.heard) < 100, "events are gathered"
    for heard in ear.heard:
        assert is_sendgrids(simulator, heard)
        body = json.dumps(json.loads(heard.body)).encode()
        assert not is_sendgrids(simulator, Heard(heard.path, "", heard.headers, body)), "written anew it is not the same"


@pytest.mark.parametrize(
    ("fate", "wanted"),
    [
        ("bounce", ["processed", "bounce"]),
        ("block", ["processed", "bounce"]),
        ("mailbox_full", ["processed", "deferred", "deferred", "deferred", "bounce"]),
        ("invalid", ["processed", "dropped"]),
        ("defer", ["processed", "deferred", "delivered"]),
        ("spam_report", ["processed", "delivered", "spamreport"]),
        ("unsubscribe", ["processed", "delivered", "unsubscribe"]),
        ("silent", ["processed"]),
        ("late", ["processed", "delivered"]),
        ("lose", []),
    ],
)
def test_each_fate_of_an_email_has_its_events(simulator: Running, ear: Ear, fate: str, wanted: list[str]) -> None:
    simulator.configure(sendgrid={"event_url": f"{ear.url}/events"})
    simulator.sendgrid().send(changed(personalizations=[{"to": [{"email": f"{fate}@example.test"}]}]))
    for _ in range(6):
        time.sleep(0.05)
        simulator.post("clock", advance_s=86_400)
    simulator.settled()
    found = sorted(events(ear), key=lambda event: event["timestamp"])
    assert sorted(event["event"] for event in found) == sorted(wanted)
    kinds = {"bounce": "bounce", "block": "blocked", "mailbox_full": "blocked"}
    if fate in kinds:
        bounce = next(event for event in found if event["event"] == "bounce")
        assert bounce["type"] == kinds[fate]
        assert bounce["reason"]
        assert bounce["bounce_classification"]
    arrived = fate in ("defer", "spam_report", "unsubscribe", "silent", "late", "lose")
    assert len(simulator.delivered()) == arrived, "the log of what arrived does not care which events came"


def test_opens_are_told_only_when_tracking_is_on(simulator: Running, ear: Ear) -> None:
    simulator.configure(sendgrid={"event_url": f"{ear.url}/events"})
    simulator.sendgrid().send(
        changed(tracking_settings={name: {"enable": False} for name in ("open_tracking", "click_tracking")})
    )
    simulator.sendgrid().send(changed(personalizations=[{"to": [{"email": "ann@example.test"}]}]))
    simulator.settled()
    number = {one["recipient"]: one["tags"]["mail"] for one in simulator.delivered()}
    for event in ("open", "click"):
        refused = simulator.raw("POST", f"/simulator/mails/{number['wong@example.test']}/events", json={"event": event})
        assert refused.status_code == 422
        simulator.post(f"mails/{number['ann@example.test']}/events", event=event)
    simulator.settled()
    assert [event["event"] for event in events(ear)][-2:] == ["open", "click"]


def test_a_refused_event_post_is_tried_again_with_the_old_stamp(simulator: Running, ear: Ear) -> None:
    simulator.configure(sendgrid={"event_url": f"{ear.url}/events"})
    ear.answers = lambda heard: Response(status_code=204 if len(ear.heard) > 2 else 503)
    simulator.sendgrid().send(GOOD)
    heard = until(lambda: ear.heard if len(ear.heard) >= 3 else None)
    simulator.settled()
    first = [one for one in heard if one.body == heard[0].body]
    assert len(first) >= 2
    assert len({one.headers[SENDGRID_TIMESTAMP] for one in first}) == 1
    assert all(is_sendgrids(simulator, one) for one in heard)


def test_a_text_typed_on_the_phone_reaches_the_webhook_signed(simulator: Running, ear: Ear) -> None:
    simulator.configure(twilio={"inbound_url": f"{ear.url}/in"})
    sid = simulator.post("inbound", channel="sms", patient=PATIENT, to=NUMBER, text="你好 + & = %")["id"]
    (heard,) = ear.wait(1, "/in")
    assert is_twilios(simulator, ear, heard)
    form = heard.form
    assert (form["MessageSid"], form["From"], form["To"], form["Body"]) == (sid, PATIENT, NUMBER, "你好 + & = %")
    assert (form["NumMedia"], form["NumSegments"], form["FromCountry"]) == ("0", "1", "HK")
    assert "OptOutType" not in form


def test_one_text_may_reach_the_webhook_twenty_times_at_once(simulator: Running, ear: Ear) -> None:
    simulator.configure(twilio={"inbound_url": f"{ear.url}/in"})
    simulator.post("inbound", channel="sms", patient=PATIENT, to=NUMBER, text="hi", times=20)
    heard = ear.wait(20, "/in")
    assert len({one.form["MessageSid"] for one in heard}) == 1


def test_whatsapp_messages_carry_name_button_media_and_place(simulator: Running, ear: Ear) -> None:
    simulator.configure(twilio={"inbound_url": f"{ear.url}/in"})
    common = {"channel": "whatsapp", "patient": PATIENT, "to": WHATSAPP, "profile": "陳大文"}
    simulator.post("inbound", **common, text="Yes", button="yes-1")
    simulator.post("inbound", **common, media=["audio/ogg"])
    simulator.post("inbound", **common, place=[22.3, 114.2])
    forms = [one.form for one in sorted(ear.wait(3, "/in"), key=lambda one: one.form["MessageType"])]
    assert [form["MessageType"] for form in forms] == ["audio", "button", "location"]
    assert {(form["ProfileName"], form["WaId"], form["From"]) for form in forms} == {
        ("陳大文", PATIENT[1:], f"whatsapp:{PATIENT}")
    }
    assert forms[1]["ButtonPayload"] == "yes-1"
    assert forms[2]["Latitude"] == "22.3"
    media = simulator.raw("GET", forms[0]["MediaUrl0"].removeprefix(simulator.url), auth=(simulator.account, simulator.token))
    assert (media.status_code, media.headers["content-type"]) == (200, "image/gif")


def test_a_webhook_that_answers_twiml_has_its_messages_sent(simulator: Running, ear: Ear) -> None:
    simulator.configure(twilio={"inbound_url": f"{ear.url}/in"})
    twiml = "<?xml version='1.0'?><Response><Message>one</Message><Message><Body>two</Body></Message></Response>"
    ear.answers = lambda heard: Response(twiml, media_type="text/xml")
    simulator.post("inbound", channel="sms", patient=PATIENT, to=NUMBER, text="hi")
    until(lambda: len(simulator.delivered(channel="sms")) == 2)
    assert {one["text"] for one in simulator.delivered()} == {"one", "two"}


def test_stop_is_answered_once_and_holds_until_start(simulator: Running, ear: Ear) -> None:
    simulator.configure(twilio={"inbound_url": f"{ear.url}/in"})

    def type_in(text: str) -> None:
        simulator.post("inbound", channel="sms", patient=PATIENT, to=NUMBER, text=text)
        simulator.settled()

    for text in ("stop please", "Stop calling me"):
        type_in(text)
        assert simulator.message(To=PATIENT, From=NUMBER, Body="x").status_code == 201
    type_in(" sToP ")
    type_in("STOP")
    refused = simulator.message(To=PATIENT, From=NUMBER, Body="x")
    assert (refused.status_code, refused.json()["code"]) == (400, 21610)
    assert simulator.message(To=PATIENT, From="+85264500002", Body="x").json()["code"] == 21610, "the whole service's pool"
    assert simulator.message(To=PATIENT, From="#Candour", Body="x").status_code == 201
    assert sum("unsubscribed" in one["text"] for one in simulator.delivered()) == 1
    type_in("START")
    assert simulator.message(To=PATIENT, From=NUMBER, Body="x").status_code == 201
    assert len(ear.heard) == 5, "the customer hears the words too"


def test_advanced_opt_out_knows_the_services_words_and_names_them(simulator: Running, ear: Ear) -> None:
    service = {
        "sid": "MG" + "0" * 31 + "1",
        "senders": [NUMBER, WHATSAPP],
        "advanced_opt_out": {"stop": ["停止"], "stop_reply": "已停止"},
    }
    simulator.configure(twilio={"inbound_url": f"{ear.url}/in", "services": [service]})
    simulator.post("inbound", channel="whatsapp", patient=PATIENT, to=WHATSAPP, text="停止")
    (heard,) = ear.wait(1, "/in")
    assert heard.form["OptOutType"] == "STOP"
    simulator.settled()
    assert simulator.delivered()[-1]["text"] == "已停止"
    assert simulator.message(To=f"whatsapp:{PATIENT}", From=WHATSAPP, Body="x").json()["code"] == 21610


def test_the_fallback_address_hears_what_the_first_one_failed_to_take(simulator: Running, ear: Ear) -> None:
    sender = {"number": NUMBER, "inbound_url": f"{ear.url}/first", "fallback_url": f"{ear.url}/second"}
    simulator.configure(twilio={"senders": [sender]})
    ear.answers = lambda heard: Response(status_code=500 if heard.path == "/first" else 200)
    simulator.post("inbound", channel="sms", patient=PATIENT, to=NUMBER, text="hi")
    (heard,) = ear.wait(1, "/second")
    assert (heard.form["ErrorCode"], heard.form["Body"]) == ("11200", "hi")
    assert is_twilios(simulator, ear, heard)
    assert len([one for one in ear.heard if one.path == "/first"]) == 1


def test_connection_overrides_make_twilio_try_again(simulator: Running, ear: Ear) -> None:
    simulator.configure(twilio={"inbound_url": f"{ear.url}/in#rc=3&rp=5xx"})
    ear.answers = lambda heard: Response(status_code=500)
    simulator.post("inbound", channel="sms", patient=PATIENT, to=NUMBER, text="hi")
    heard = ear.wait(4, "/in")
    simulator.settled()
    assert len(ear.heard) == 4
    assert len({one.headers["i-twilio-idempotency-token"] for one in heard}) == 1
    assert all(is_twilios(simulator, ear, one) for one in heard), "the fragment is not signed"


def test_nobody_can_write_to_an_alphanumeric_sender(simulator: Running) -> None:
    response = simulator.raw(
        "POST", "/simulator/inbound", json={"channel": "sms", "patient": PATIENT, "to": "#Candour", "text": "hi"}
    )
    assert response.status_code == 422


def parsed(heard: Heard) -> tuple[dict[str, str], list[tuple[str | None, str | None, bytes]]]:
    """The fields and files of a multipart body, read by a reader that is not ours."""
    builder = EnvironBuilder(method="POST", input_stream=BytesIO(heard.body), content_type=heard.headers["content-type"])
    with Request(builder.get_environ()) as request:
        files = [(one.filename, one.content_type, one.read()) for one in request.files.values()]
        return request.form.to_dict(), files


def test_an_email_typed_in_the_mailbox_comes_as_inbound_parse_posts_it(simulator: Running, ear: Ear) -> None:
    simulator.configure(sendgrid={"parse_url": f"{ear.url}/parse/secret"})
    attachment = {"filename": "id.png", "type": "image/png", "base64": "aGVsbG8="}
    simulator.post(
        "inbound",
        channel="email",
        patient="wong@example.test",
        to="help@parse.clinic.test",
        subject="Re: 關於你的病歷",
        name="陳大文",
        text="我想問……",
        html="<p>我想問……</p>",
        in_reply_to="<abc@geopod>",
        attachments=[attachment, {**attachment, "filename": "b.png"}],
    )
    (heard,) = ear.wait(1, "/parse/secret")
    assert is_sendgrids(simulator, heard) if heard.body.isascii() else heard.headers[SENDGRID_SIGNATURE]
    form, files = parsed(heard)
    assert json.loads(form["envelope"]) == {"to": ["help@parse.clinic.test"], "from": "wong@example.test"}
    assert (form["text"].strip(), form["html"].strip()) == ("我想問……", "<p>我想問……</p>")
    assert (form["SPF"], form["attachments"], form["sender_ip"]) == ("pass", "2", "192.0.2.77")
    assert json.loads(form["charsets"])["text"] == "utf-8"
    assert "In-Reply-To: <abc@geopod>" in form["headers"]
    assert json.loads(form["attachment-info"])["attachment2"]["filename"] == "b.png"
    assert files == [("id.png", "image/png", b"hello"), ("b.png", "image/png", b"hello")]


def test_a_big5_body_keeps_its_bytes_and_says_so(simulator: Running, ear: Ear) -> None:
    simulator.configure(sendgrid={"parse_url": f"{ear.url}/parse"})
    simulator.post("inbound", channel="email", patient="a@example.test", to="help@parse.clinic.test", text="多謝", charset="big5")
    (heard,) = ear.wait(1, "/parse")
    assert "多謝".encode("big5") in heard.body
    assert b'"text": "big5"' in heard.body


def test_automatic_replies_and_bounce_messages_look_like_ones(simulator: Running, ear: Ear) -> None:
    simulator.configure(sendgrid={"parse_url": f"{ear.url}/parse"})
    for kind in ("auto_reply", "bounce_message"):
        simulator.post("inbound", channel="email", patient="a@example.test", to="help@parse.clinic.test", text="x", kind=kind)
    forms = {("auto-replied" in form["headers"]): form for form, _ in map(parsed, ear.wait(2, "/parse"))}
    assert json.loads(forms[False]["envelope"])["from"] == ""
    assert "MAILER-DAEMON" in forms[False]["from"]
