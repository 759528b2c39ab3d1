"""`staff token`, `desk webhook`, and what `doctor` says of an endpoint that takes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.assembly import Application
from bot.cli.app import app
from bot.desk.integrations.models import EndpointStatus, WebhookEndpoint
from bot.desk.integrations.tokens import is_wellformed
from tests.conftest import Keys

terminal = CliRunner()
MAKE = ["staff", "token", "make", "--name", "Help desk", "--scope", "cases:read", "--scope", "cases:work", "--days", "30"]
REGISTER = [
    "desk",
    "webhook",
    "register",
    "--name",
    "Help desk",
    "--url",
    "https://desk.example.hk/hooks",
    "--event",
    "case.opened",
]


@pytest.fixture(autouse=True)
def secrets(monkeypatch: pytest.MonkeyPatch, keys: Keys) -> None:
    """The secrets of this installation, as `up` would have made them."""
    for name, value in (
        ("VAULT_KEYS", keys.vault),
        ("INDEX_KEYS", keys.index),
        ("AUDIT_KEYS", keys.audit),
        ("ENGINE_TOKEN", "x"),
    ):
        monkeypatch.setenv(f"CANDOUR_{name}", value)


def test_an_operator_makes_lists_and_revokes_a_token(running_up: Path) -> None:
    made = terminal.invoke(app, MAKE)
    assert made.exit_code == 0, made.output
    secret = made.stdout.splitlines()[0]
    assert is_wellformed(secret)
    listed = terminal.invoke(app, ["staff", "token", "list"], env={"COLUMNS": "200"}).stdout
    assert "Help desk" in listed
    assert "cases:read, cases:work" in listed
    assert secret not in listed
    assert terminal.invoke(app, ["staff", "token", "revoke", "1"]).exit_code == 0
    again = terminal.invoke(app, ["staff", "token", "revoke", "1"])
    assert (again.exit_code, "over already" in again.output) == (1, True)


def test_a_scope_that_is_none_is_refused(running_up: Path) -> None:
    assert terminal.invoke(app, ["staff", "token", "make", "--name", "x", "--scope", "everything"]).exit_code == 2


def test_an_operator_registers_switches_and_removes_an_endpoint_and_doctor_tells_of_one_that_rests(
    running_up: Path, application: Application
) -> None:
    made = terminal.invoke(app, REGISTER)
    assert made.exit_code == 0, made.output
    assert made.stdout.startswith("whsec_")
    with application.database.writing() as session:
        session.execute(WebhookEndpoint.__table__.update().values(status=EndpointStatus.RESTING.value, problem="too slow"))
    terminal.invoke(app, MAKE)  # a desk with nobody on the team is told nothing else
    shown = terminal.invoke(app, ["desk", "show"], env={"COLUMNS": "200"}).stdout
    assert "webhook 1" in shown
    assert "too slow" in shown
    assert "resting" in terminal.invoke(app, ["desk", "webhook", "list"], env={"COLUMNS": "200"}).stdout
    assert terminal.invoke(app, ["desk", "webhook", "on", "1"]).exit_code == 0
    assert "webhook 1" not in terminal.invoke(app, ["desk", "show"], env={"COLUMNS": "200"}).stdout
    assert terminal.invoke(app, ["desk", "webhook", "remove", "1"]).exit_code == 0
    refused = terminal.invoke(app, [*REGISTER[:6], "http://desk.example.hk/"])
    assert (refused.exit_code, "https only" in refused.output) == (1, True)
