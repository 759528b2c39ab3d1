"""The official SendGrid library against the simulator."""

from __future__ import annotations

import base64
import copy
import json
import time
from typing import Any

import pytest
from python_http_client.exceptions import HTTPError
from sendgrid.helpers.mail import Asm, Content, CustomArg, From, GroupId, Mail, Personalization, SandBoxMode, To

from simulator import magic
from tests.simulator.conftest import Running

GOOD: dict[str, Any] = {
    "personalizations": [{"to": [{"email": "wong@example.test", "name": "Mr Wong"}], "custom_args": {"send": "s1"}}],
    "from": {"email": "notice@clinic.test", "name": "Clinic"},
    "subject": "About your records",
    "content": [{"type": "text/plain", "value": "Dear patient"}, {"type": "text/html", "value": "<p>Dear patient</p>"}],
}


def changed(**change: Any) -> dict[str, Any]:
    body = copy.deepcopy(GOOD)
    for name, value in change.items():
        if value is None:
            del body[name]
        else:
            body[name] = value
    return body


def person(**change: Any) -> dict[str, Any]:
    return changed(personalizations=[{**copy.deepcopy(GOOD["personalizations"][0]), **change}])


def refusal(simulator: Running, body: object) -> tuple[int, list[dict[str, Any]]]:
    with pytest.raises(HTTPError) as caught:
        simulator.sendgrid().send(body)
    return caught.value.status_code, json.loads(caught.value.body)["errors"]


def test_an_email_is_accepted_and_arrives_as_it_was_meant(simulator: Running) -> None:
    mail = Mail(from_email=From("notice@clinic.test", "Clinic"), subject="For -name-")
    mail.add_content(Content("text/plain", "Dear -name-"))
    mail.add_content(Content("text/html", "<p>Dear -name-</p>"))
    for place in range(2):
        one = Personalization()
        one.add_to(To(f"p{place}@example.test"))
        one.add_custom_arg(CustomArg("send", f"s{place}"))
        mail.add_personalization(one)
    body = mail.get()
    for entry in body["personalizations"]:
        entry["substitutions"] = {"-name-": "陳大文" if entry["custom_args"]["send"] == "s0" else "Ann"}
    response = simulator.sendgrid().send(body)
    assert response.status_code == 202
    assert response.body == b""
    simulator.settled()
    found = simulator.delivered(texts=1)
    assert {(one["recipient"], one["text"], one["tags"]["send"]) for one in found} == {
        ("p0@example.test", "Dear 陳大文", "s0"),
        ("p1@example.test", "Dear Ann", "s1"),
    }
    assert {one["id"] for one in found} == {response.headers["X-Message-Id"]}
    (line,) = simulator.get("thread", channel="email", patient="p0@example.test")["lines"]
    assert (line["subject"], line["from_name"], line["status"]) == ("For 陳大文", "Clinic", "delivered")


MANY = [{"to": [{"email": f"p{n}@example.test"}]} for n in range(1001)]
TWICE = [{"to": [{"email": "a@example.test"}]}, {"to": [{"email": "b@example.test"}], "bcc": [{"email": "A@Example.test"}]}]
CROWD = [{"to": [{"email": f"p{n}-{m}@example.test"} for m in range(3)]} for n in range(334)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (changed(personalizations=None), "personalizations"),
        (changed(personalizations=[]), "personalizations"),
        (changed(personalizations=MANY), "personalizations"),
        (changed(personalizations=CROWD), "personalizations"),
        (changed(personalizations=TWICE), "personalizations.1"),
        (changed(personalizations=["x"]), "personalizations.0"),
        (person(to=[]), "personalizations.0.to"),
        (person(to=[{"email": "nonsense"}]), "personalizations.0.to.0.email"),
        (person(to=[{"email": "a b@example.test"}]), "personalizations.0.to.0.email"),
        (person(cc=[{"email": "wong@example.test"}]), "personalizations.0"),
        (person(custom_args={"send": 1}), "personalizations.0.custom_args"),
        (person(custom_args={"send": "x" * 10_001}), "personalizations.0.custom_args"),
        (person(substitutions={"a": "字" * 4_000}), "personalizations.0.substitutions"),
        (person(headers={"Subject": "x"}), "personalizations.0.headers"),
        (person(headers={"X-Note": "字"}), "personalizations.0.headers"),
        (person(subject=""), "personalizations.subject"),
        (person(surprise=1), "personalizations.0.surprise"),
        (changed(**{"from": None}), "from.email"),
        (changed(**{"from": {"email": "x"}}), "from.email"),
        (changed(subject=None), "subject"),
        (changed(subject=""), "subject"),
        (changed(content=None), "content"),
        (changed(content=[{"type": "text/plain", "value": ""}]), "content.0.value"),
        (changed(content=[{"type": "text/plain; x", "value": "x"}]), "content.0.type"),
        (changed(content=[GOOD["content"][1], GOOD["content"][0]]), "content"),
        (changed(categories=["a"] * 2), "categories"),
        (changed(categories=[str(n) for n in range(11)]), "categories"),
        (changed(categories=["x" * 256]), "categories"),
        (changed(send_at=int(time.time()) + 4_000 * 86_400), "send_at"),
        (changed(send_at="soon"), "send_at"),
        (changed(attachments=[{"content": "%%%", "filename": "a.txt"}]), "attachments.0.content"),
        (changed(attachments=[{"content": "QQ=="}]), "attachments.0.filename"),
        (changed(attachments=[{"content": "QQ==", "filename": "a", "disposition": "x"}]), "attachments.0.disposition"),
        (changed(asm={}), "asm.group_id"),
        (changed(asm={"group_id": 77}), "asm.group_id"),
        (changed(batch_id="unknown"), "batch_id"),
        (changed(reply_to={"email": "x"}), "reply_to.email"),
        (changed(tracking_settings={"open_tracking": {"enable": "no"}}), "tracking_settings.open_tracking.enable"),
        (
            changed(mail_settings={name: {"enable": True} for name in ("bypass_list_management", "bypass_spam_management")}),
            "mail_settings",
        ),
        (changed(surprise=1), "surprise"),
    ],
)
def test_what_sendgrid_refuses_is_refused_naming_the_field(simulator: Running, body: object, field: str) -> None:
    status, errors = refusal(simulator, body)
    assert status == 400
    assert field in {error["field"] for error in errors}
    assert all(set(error) == {"message", "field", "help"} and error["message"] for error in errors)
    assert simulator.get("accepted", channel="email")["accepted"] == []


def test_everything_wrong_is_told_at_once(simulator: Running) -> None:
    _, errors = refusal(simulator, changed(subject=None, content=None, personalizations=[{"to": [{"email": "x"}]}]))
    assert {error["field"] for error in errors} == {"subject", "content", "personalizations.0.to.0.email"}


def test_the_sandbox_checks_and_sends_nothing(simulator: Running) -> None:
    body = changed(mail_settings={"sandbox_mode": SandBoxMode(True).get()})
    assert simulator.sendgrid().send(body).status_code == 200
    assert refusal(simulator, {**body, "subject": ""})[0] == 400
    assert simulator.get("accepted", channel="email")["accepted"] == []


def test_strangers_get_nothing(simulator: Running) -> None:
    for headers in ({}, {"Authorization": "Bearer"}, {"Authorization": "Bearer SG.wrong"}, {"Authorization": "Basic eDp5"}):
        for method, path in (("POST", "/v3/mail/send"), ("GET", "/v3/suppression/bounces"), ("GET", "/v3/scopes")):
            response = simulator.raw(method, path, headers=headers, json=GOOD if method == "POST" else None)
            assert response.status_code == 401
            assert response.json()["errors"][0]["message"].startswith("The provided authorization grant is invalid")
    assert simulator.get("accepted", channel="email")["accepted"] == []


def test_a_sender_that_is_not_verified_is_forbidden(simulator: Running) -> None:
    simulator.configure(sendgrid={"verified_domains": ["clinic.test"]})
    assert simulator.sendgrid().send(GOOD).status_code == 202
    status, errors = refusal(simulator, changed(**{"from": {"email": "x@other.test"}}))
    assert (status, errors[0]["field"]) == (403, "from")


def test_json_and_nothing_else_is_taken_up_to_thirty_megabytes(simulator: Running) -> None:
    key = {"Authorization": f"Bearer {simulator.options.credentials.sendgrid_api_key}"}
    assert simulator.raw("POST", "/v3/mail/send", headers=key, data={"to": "x"}).status_code == 415
    jsons = {**key, "Content-Type": "application/json"}
    for rubbish in (b"", b"{", b"[]", b"null", b'{"a": NaN}', b"\xff\xfe", b"[" * 50_000, b'"\\ud800"'):
        assert simulator.raw("POST", "/v3/mail/send", headers=jsons, content=rubbish).status_code == 400
    large = base64.b64encode(bytes(23 * 1024 * 1024)).decode()
    assert refusal(simulator, changed(attachments=[{"content": large, "filename": "a"}]))[0] == 413


def test_bounces_blocks_invalid_addresses_and_complaints_are_listed_and_dropped_next_time(simulator: Running) -> None:
    client = simulator.sendgrid()
    fates = {"bounce": "bounces", "block": "blocks", "invalid": "invalid_emails", "spam_report": "spam_reports"}
    people = [{"to": [{"email": f"ann+{fate}@example.test"}]} for fate in fates]
    client.send(changed(personalizations=people))
    simulator.settled()
    for fate, name in fates.items():
        found = client.client.suppression._(name).get().to_dict
        assert [one["email"] for one in found] == [f"ann+{fate}@example.test"], name
        assert client.client.suppression._(name)._(f"ann+{fate}@example.test").get().to_dict == found
    client.send(changed(personalizations=people))
    simulator.settled()
    latest = {one["recipient"]: one["status"] for one in simulator.get("accepted", channel="email")["accepted"]}
    assert latest == {
        "ann+bounce@example.test": "dropped",
        "ann+invalid@example.test": "dropped",
        "ann+spam_report@example.test": "dropped",
        "ann+block@example.test": "bounce",
    }
    bypass = {"bypass_spam_management": {"enable": True}}
    client.send(changed(personalizations=people[3:], mail_settings=bypass))
    simulator.settled()
    assert simulator.get("accepted", channel="email")["accepted"][-1]["status"] == "delivered"
    client.client.suppression.bounces.delete(request_body={"delete_all": True})
    client.client.suppression.spam_reports._("ann+spam_report@example.test").delete()
    assert client.client.suppression.bounces.get().to_dict == []
    assert client.client.suppression.spam_reports.get().to_dict == []


def test_unsubscribe_groups_and_the_global_list_work_as_the_api_says(simulator: Running) -> None:
    client = simulator.sendgrid().client
    group = client.asm.groups.post(request_body={"name": "Notices", "description": "Breach notices"}).to_dict
    client.asm.groups._(str(group["id"])).suppressions.post(request_body={"recipient_emails": ["ann@example.test"]})
    client.asm.suppressions._("global").post(request_body={"recipient_emails": ["bob@example.test"]})
    assert client.asm.groups._(str(group["id"])).suppressions.get().to_dict == ["ann@example.test"]
    assert client.asm.suppressions._("global")._("bob@example.test").get().to_dict == {"recipient_email": "bob@example.test"}
    assert client.asm.groups.get().to_dict[0]["unsubscribes"] == 1
    assert client.asm.suppressions._("ann@example.test").get().to_dict["suppressions"][0]["suppressed"] is True
    asm = Asm(GroupId(group["id"])).get()
    people = [{"to": [{"email": f"{name}@example.test"}]} for name in ("ann", "bob", "cat")]
    simulator.sendgrid().send(changed(personalizations=people, asm=asm))
    simulator.settled()
    assert [one["recipient"] for one in simulator.delivered()] == ["cat@example.test"]
    client.asm.suppressions._("global")._("bob@example.test").delete()
    client.asm.groups._(str(group["id"])).delete()
    with pytest.raises(HTTPError) as gone:
        client.asm.groups._(str(group["id"])).get()
    assert gone.value.status_code == 404


def test_a_scheduled_batch_can_be_canceled(simulator: Running) -> None:
    simulator.post("clock", speed=1)
    client = simulator.sendgrid().client
    batch = client.mail.batch.post().to_dict["batch_id"]
    soon = int(simulator.world.clock.now()) + 3_600
    for name, more in (("never", {"batch_id": batch}), ("later", {})):
        people = [{"to": [{"email": f"{name}@example.test"}]}]
        simulator.sendgrid().send(changed(personalizations=people, send_at=soon, **more))
    client.user.scheduled_sends.post(request_body={"batch_id": batch, "status": "cancel"})
    simulator.post("clock", advance_s=3_700, speed=600)
    simulator.settled()
    assert [one["recipient"] for one in simulator.delivered()] == ["later@example.test"]


def test_rate_limit_headers_say_when_to_come_back(simulator: Running) -> None:
    client = simulator.sendgrid()
    assert int(client.client.scopes.get().headers["X-RateLimit-Remaining"]) > 0
    simulator.post("faults", next=["burst_429"], burst_s=1.5)
    with pytest.raises(HTTPError) as caught:
        client.send(GOOD)
    assert caught.value.status_code == 429
    assert caught.value.headers["X-RateLimit-Remaining"] == "0"
    reset = int(caught.value.headers["X-RateLimit-Reset"])
    assert 0 < reset - time.time() < 5
    assert refusal(simulator, GOOD)[0] == 429
    time.sleep(max(0.0, reset - time.time()))
    assert client.send(GOOD).status_code == 202
    assert len(simulator.get("accepted", channel="email")["accepted"]) == 1


def test_every_magic_address_has_a_fate() -> None:
    assert magic.of_mail("bounce@example.test") == "bounce"
    assert magic.of_mail("ann+spam-report@example.test") == "spam_report"
    assert magic.of_mail("ann@bounce.test") is None
    assert magic.of_mail("nonsense") is None
