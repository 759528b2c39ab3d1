"""Fast enough for a campaign: what one request costs the simulator, in processor time, so that a busy machine changes nothing."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlencode

import httpx

from tests.engine.running import free_port
from tests.simulator.conftest import until
from tests.simulator.test_door import REPOSITORY, _answers
from tests.simulator.test_sendgrid import GOOD

CREATES, RECIPIENTS, BATCH = 1_500, 15_000, 100
CREATES_A_SECOND, RECIPIENTS_A_SECOND = 300, 3_000


def processor_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_it_takes_300_texts_and_3000_emails_a_second_of_one_processor(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "simulator", "--port", str(port), "--data", str(tmp_path)]
    process = subprocess.Popen(command, cwd=REPOSITORY, stderr=subprocess.DEVNULL)
    try:
        until(lambda: _answers(f"{url}/simulator/health"))
        own = httpx.get(f"{url}/simulator/configuration").json()["credentials"]
        httpx.post(f"{url}/simulator/hold", json={"held": True})
        connection = http.client.HTTPConnection("127.0.0.1", port)
        basic = httpx.BasicAuth(own["twilio_account_sid"], own["twilio_auth_token"])._auth_header
        headers = {"Authorization": basic, "Content-Type": "application/x-www-form-urlencoded"}
        path = f"/2010-04-01/Accounts/{own['twilio_account_sid']}/Messages.json"
        before = processor_seconds(process.pid)
        for place in range(CREATES):
            form = {
                "To": f"+8529{place:07d}",
                "From": "#Candour",
                "Body": "請留意你的病歷。",
                "StatusCallback": f"http://127.0.0.1:9/{place}",
            }
            connection.request("POST", path, urlencode(form), headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 201
        middle = processor_seconds(process.pid)
        headers = {"Authorization": f"Bearer {own['sendgrid_api_key']}", "Content-Type": "application/json"}
        for batch in range(RECIPIENTS // BATCH):
            people = [
                {"to": [{"email": f"p{batch}-{n}@example.test"}], "custom_args": {"send": f"{batch}-{n}"}} for n in range(BATCH)
            ]
            connection.request("POST", "/v3/mail/send", json.dumps({**GOOD, "personalizations": people}), headers)
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 202
        after = processor_seconds(process.pid)
        connection.close()
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    rates = CREATES / (middle - before), RECIPIENTS / (after - middle)
    print(f"{rates[0]:.0f} texts, {rates[1]:.0f} e-mail recipients a processor second")
    assert rates[0] > CREATES_A_SECOND
    assert rates[1] > RECIPIENTS_A_SECOND
