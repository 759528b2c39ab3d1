"""Who may ask, what survives, and that rubbish never breaks it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulator.app import create_app
from simulator.options import Credentials, Options, load_credentials, read
from simulator.sendgrid.errors import Refused
from simulator.sendgrid.validation import check
from tests.engine.running import free_port
from tests.simulator.conftest import Ear, Running, until
from tests.simulator.test_sendgrid import GOOD

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENT = "+85291234567"
NUMBER = "+85264500001"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=15,
)
FIELDS = [
    "personalizations",
    "from",
    "subject",
    "content",
    "headers",
    "asm",
    "mail_settings",
    "tracking_settings",
    "attachments",
    "categories",
    "send_at",
    "reply_to",
    "reply_to_list",
    "custom_args",
    "template_id",
    "sections",
]


@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON) | JSON,
    st.sampled_from(["to", "cc", "headers", "substitutions", "send_at"]),
    JSON,
)
@settings(max_examples=400, deadline=None)
def test_any_json_is_either_taken_or_refused(change: Any, name: str, inner: Any) -> None:
    tries = [change, {**GOOD, **change} if isinstance(change, dict) else [change]]
    tries.append({**GOOD, "personalizations": [{**GOOD["personalizations"][0], name: inner}]})
    for body in tries:
        with suppress(Refused):
            assert check(body, 0.0) == body


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "To",
                "From",
                "Body",
                "MessagingServiceSid",
                "ContentSid",
                "ContentVariables",
                "SendAt",
                "ScheduleType",
                "StatusCallback",
                "MediaUrl",
                "ValidityPeriod",
                "SmartEncoded",
                "Nonsense",
            ]
        ),
        st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)
        | st.sampled_from([PATIENT, NUMBER, "whatsapp:+1", "{}"]),
    )
)
@settings(max_examples=100, deadline=None)
def test_any_form_is_answered_with_a_code(shared_simulator: Running, form: dict[str, str]) -> None:
    response = shared_simulator.message(**form)
    assert response.status_code in (201, 400)
    assert response.json().get("sid") or response.json()["code"] > 20_000


@pytest.mark.parametrize(
    "path",
    ["inbound", "clock", "faults", "hold", "reset", "templates", "mails/1/events", "mails/x/events"],
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b"\xff",
        b'{"channel": 1, "rates": 2, "next": 3, "speed": "x", "event": [], "held": {}}',
        b'{"channel": "email", "patient": "a@b.test", "to": "c@d.test", "headers": {"Subject": "a\\nb"}}',
        b'{"channel": "email", "patient": "a@b.test", "to": "c@d.test", "attachments": [{"base64": "%"}]}',
        b'{"channel": "sms", "patient": "x", "to": "+85264500001"}',
        b'{"speed": 1e999}',
        b'{"advance_s": -1}',
        b'{"seed": "x"}',
        b'{"rates": {"x": 1}}',
        b'{"measure": 1, "hang_s": -5}',
        b'{"sid": 5, "body": "x"}',
    ],
)
def test_rubbish_at_the_control_api_is_refused_politely(simulator: Running, path: str, body: bytes) -> None:
    response = simulator.raw("POST", f"/simulator/{path}", content=body)
    assert response.status_code in (200, 400, 422)
    assert isinstance(response.json(), dict)
    simulator.post("clock", speed=600)


@pytest.mark.parametrize("body", [b"\xff\xfe", b"To=%ff", b"&&&===", b"a" * 300_000, b"To=" + b"&To=".join([b"x"] * 500)])
def test_rubbish_forms_are_refused(simulator: Running, body: bytes) -> None:
    path = f"/2010-04-01/Accounts/{simulator.account}/Messages.json"
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    response = simulator.raw("POST", path, content=body, auth=(simulator.account, simulator.token), headers=headers)
    assert response.status_code in (400, 413)


@pytest.mark.parametrize(
    "change",
    [
        {"twilio": 5},
        {"twilio": {"senders": [{}]}},
        {"sendgrid": {"event_url": "javascript:alert(1)"}},
        {"x": 1},
        {"twilio": {"inbound_url": "http://[::1"}},
        {"twilio": {"services": [{"sid": "MGx"}]}},
    ],
)
def test_a_wrong_configuration_is_refused_and_the_old_one_stays(simulator: Running, change: dict[str, Any]) -> None:
    before = simulator.get("configuration")["configuration"]
    assert simulator.raw("PATCH", "/simulator/configuration", json=change).status_code == 422
    assert simulator.get("configuration")["configuration"] == before


def test_unknown_addresses_are_told_in_each_providers_way(simulator: Running) -> None:
    auth = (simulator.account, simulator.token)
    assert simulator.raw("GET", f"/2010-04-01/Accounts/{simulator.account}/Calls.json", auth=auth).json()["code"] == 20404
    assert simulator.raw("GET", "/v3/nothing").json()["errors"]
    assert simulator.raw("PUT", "/v3/mail/send").status_code == 405
    assert simulator.raw("GET", "/simulator/nothing").status_code == 404


def test_only_the_loopbacks_own_names_and_pages_are_served(simulator: Running) -> None:
    assert simulator.raw("GET", "/", headers={"Host": "evil.example"}).status_code == 421
    assert simulator.raw("POST", "/v3/mail/send", headers={"Host": "evil.example:80"}).status_code == 421
    foreign = simulator.raw("POST", "/simulator/reset", headers={"Origin": "https://evil.example"}, json={})
    assert foreign.status_code == 403
    assert simulator.raw("POST", "/simulator/reset", headers={"Origin": simulator.url}, json={}).status_code == 200


def test_a_control_token_closes_page_and_control_to_strangers(make_simulator: Callable[..., Running]) -> None:
    simulator = make_simulator(credentials=Credentials(control_token="let-me-in"))
    for path in ("/", "/simulator/configuration", "/simulator/deliveries", "/simulator/threads", "/static/page.js"):
        assert simulator.raw("GET", path).status_code == 401
        assert simulator.raw("GET", path, headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert simulator.raw("GET", "/simulator/health").status_code == 200
    assert simulator.raw("GET", "/simulator/configuration", headers={"Authorization": "Bearer let-me-in"}).status_code == 200
    with httpx.Client(base_url=simulator.url, follow_redirects=True) as browser:
        assert browser.get("/?key=wrong").status_code == 401
        assert browser.get("/?key=let-me-in").status_code == 200
        assert browser.get("/simulator/threads").status_code == 200


def test_every_answer_forbids_scripts_from_elsewhere(simulator: Running) -> None:
    for path in ("/", "/simulator/threads", "/v3/scopes", "/static/page.js"):
        headers = simulator.raw("GET", path).headers
        assert "default-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in simulator.raw("GET", "/simulator/mails/1/html").headers["content-security-policy"]
    page = simulator.raw("GET", "/").text
    assert "<script>" not in page
    assert "style=" not in page


def test_credentials_come_from_environment_then_folder_then_chance(tmp_path: Path) -> None:
    first = load_credentials(tmp_path, {"SIMULATOR_TWILIO_AUTH_TOKEN": "given"})
    assert first.twilio_auth_token == "given"
    assert load_credentials(tmp_path, {}) == first
    assert (tmp_path / "credentials.json").stat().st_mode & 0o777 == 0o600
    assert load_credentials(None, {}).sendgrid_api_key != first.sendgrid_api_key
    for secret in (first.twilio_auth_token, first.sendgrid_api_key, first.signing_key):
        assert secret not in repr(Options(credentials=first))


@pytest.mark.parametrize(
    "arguments",
    [["--port", "0"], ["--speed", "0"], ["--faults", "x=1"], ["--configuration", "/nowhere.json"], ["--keep", "1"]],
)
def test_wrong_options_end_the_program_with_a_sentence(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        read(arguments, {})
    assert "error:" in capsys.readouterr().err


def test_addresses_of_the_environment_win(make_simulator: Callable[..., Running], tmp_path: Path) -> None:
    options = read(["--data", str(tmp_path)], {"SIMULATOR_TWILIO_INBOUND_URL": "http://127.0.0.1:9/in"})
    simulator = make_simulator(addresses=options.addresses)
    assert simulator.get("configuration")["configuration"]["twilio"]["inbound_url"] == "http://127.0.0.1:9/in"
    with pytest.raises(SystemExit):
        read([], {"SIMULATOR_SENDGRID_EVENT_URL": "nonsense"})


def test_old_rows_are_cut_off(make_simulator: Callable[..., Running]) -> None:
    simulator = make_simulator(keep=500, speed=600.0)
    for batch in range(12):
        people = [{"to": [{"email": f"p{batch}-{n}@example.test"}]} for n in range(500)]
        simulator.sendgrid().send({**GOOD, "personalizations": people})
    simulator.settled()
    state = simulator.get("state")
    assert state["mails"] < 5_600
    assert state["deliveries"] < 5_600


def test_it_is_an_asgi_application_too() -> None:
    assert callable(create_app(Options()))


def test_a_killed_simulator_goes_on_where_it_was(tmp_path: Path, ear: Ear) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "simulator", "--port", str(port), "--data", str(tmp_path), "--speed", "1"]
    environment = {**os.environ, "SIMULATOR_SENDGRID_EVENT_URL": f"{ear.url}/events"}

    def begin() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.DEVNULL)
        until(lambda: _answers(f"{url}/simulator/health"))
        return process

    process = begin()
    try:
        own = httpx.get(f"{url}/simulator/configuration").json()["credentials"]
        httpx.post(f"{url}/simulator/clock", json={"advance_s": 86_400})
        now = httpx.get(f"{url}/simulator/state").json()["clock"]["now"]
        auth = (own["twilio_account_sid"], own["twilio_auth_token"])
        path = f"{url}/2010-04-01/Accounts/{auth[0]}/Messages.json"
        form = {"To": PATIENT, "From": NUMBER, "Body": "x", "StatusCallback": f"{ear.url}/cb"}
        sid = httpx.post(path, data=form, auth=auth).json()["sid"]
        key = {"Authorization": f"Bearer {own['sendgrid_api_key']}"}
        assert httpx.post(f"{url}/v3/mail/send", json=GOOD, headers=key).status_code == 202
        process.send_signal(signal.SIGKILL)
        process.wait()
        process = begin()
        assert httpx.get(f"{url}/simulator/configuration").json()["credentials"] == own
        assert httpx.get(f"{url}/simulator/state").json()["clock"]["now"] >= now
        until(lambda: len(httpx.get(f"{url}/simulator/deliveries").json()["deliveries"]) == 2)
        assert httpx.get(path.replace(".json", f"/{sid}.json"), auth=auth).json()["status"] == "delivered"
        until(lambda: [one.form["MessageStatus"] for one in ear.heard if one.path == "/cb"][-1:] == ["delivered"])
        until(lambda: sum(len(json.loads(one.body)) for one in ear.heard if one.path == "/events") >= 2)
    finally:
        process.terminate()
        process.wait(10)


def _answers(url: str) -> bool:
    try:
        return httpx.get(url).status_code == 200
    except httpx.HTTPError:
        return False
