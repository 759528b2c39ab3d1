"""Tokens and webhooks in the console: an administrator's work, shown once, and nobody else's."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import httpx
import pytest

from bot.desk.integrations import endpoints, tokens
from bot.desk.integrations.models import ApiToken, EndpointStatus, WebhookDelivery, WebhookEndpoint
from bot.desk.staff.roles import Role
from tests.desk.conftest import Desk
from tests.web.console.conftest import Colleague

Make = Callable[..., Colleague]
HOOKS = "http://localhost:9/hooks"


def shown(answer: httpx.Response) -> str:
    found = re.search(r'id="secret">([^<]+)<', answer.text)
    assert found, answer.text[:2000]
    return html.unescape(found[1])


def token(admin: Colleague, *scopes: str, name: str = "Help desk bridge") -> str:
    form = {"name": name, "days": "90", "scope": list(scopes or ("cases:read",))}
    return shown(admin.post("/desk/programs/make", via="/desk/programs", **form))


def test_a_token_is_made_shown_once_and_works(colleague: Make, desk: Desk, console: str) -> None:
    admin = colleague(Role.ADMIN)
    secret = token(admin, "cases:read", "texts:read")
    with httpx.Client(base_url=console, trust_env=False, timeout=60, headers={"Authorization": f"Bearer {secret}"}) as client:
        told = client.get("/api/v1/me").json()
    assert (told["name"], told["scopes"]) == ("Help desk bridge", ["cases:read", "texts:read"])
    listed = admin.get("/desk/programs").text
    assert secret not in listed
    assert f"cdr_…{secret[-4:]}" in listed
    assert "Help desk bridge" not in admin.get("/desk/team").text


def test_a_revoked_token_is_over_at_once_and_a_further_one_is_the_same_program(colleague: Make, desk: Desk, console: str) -> None:
    admin = colleague(Role.ADMIN)
    old = token(admin)
    with desk.database.reading() as session:
        row = session.query(ApiToken).one()
    new = shown(admin.post(f"/desk/programs/{row.staff_id}/renew", via="/desk/programs", days="30"))
    assert "over from this moment" in admin.post(f"/desk/programs/tokens/{row.id}/revoke", via="/desk/programs").text
    with httpx.Client(base_url=console, trust_env=False, timeout=60) as client:
        answers = [client.get("/api/v1/me", headers={"Authorization": f"Bearer {each}"}) for each in (old, new)]
    assert [answer.status_code for answer in answers] == [401, 200]
    assert answers[1].json()["id"] == row.staff_id


@pytest.mark.parametrize("form", [{"scope": []}, {"scope": ["everything"]}, {"name": " "}, {"days": "9999"}, {"days": "x"}])
def test_a_token_without_name_scope_or_end_is_not_made(colleague: Make, desk: Desk, form: dict[str, object]) -> None:
    admin = colleague(Role.ADMIN)
    answer = admin.post(
        "/desk/programs/make", via="/desk/programs", **{"name": "bridge", "days": "30", "scope": ["cases:read"], **form}
    )
    assert 'id="secret"' not in answer.text
    with desk.database.reading() as session:
        assert session.query(ApiToken).count() == 0


def test_an_endpoint_is_registered_tried_switched_and_removed(colleague: Make, desk: Desk) -> None:
    admin = colleague(Role.ADMIN)
    made = admin.post("/desk/webhooks/register", via="/desk/webhooks", name="Help desk", url=HOOKS, event=["case.opened"])
    secret = shown(made)
    assert secret.startswith("whsec_")
    page = "/desk/webhooks/1"
    assert secret not in admin.get(page).text
    assert "on its way" in admin.post(f"{page}/test", via=page).text
    assert shown(admin.post(f"{page}/secret", via=page)) != secret
    assert "Saved." in admin.post(f"{page}/change", via=page, name="Other", url=HOOKS, event=["case.opened", "case.claimed"]).text
    assert "posted again" in admin.post(f"{page}/again/1", via=page).text
    assert "It is off" in admin.post(f"{page}/off", via=page).text
    assert "It is on" in admin.post(f"{page}/on", via=page).text
    assert "removed" in admin.post(f"{page}/remove", via=page).text
    with desk.database.reading() as session:
        assert (session.query(WebhookEndpoint).count(), session.query(WebhookDelivery).count()) == (0, 0)


@pytest.mark.parametrize("url", ["http://desk.example.hk/", "https://10.0.0.5/", "https://169.254.169.254/", "x"])
def test_an_address_that_must_not_be_reached_is_refused_with_a_sentence(colleague: Make, desk: Desk, url: str) -> None:
    admin = colleague(Role.ADMIN)
    refused = admin.post("/desk/webhooks/register", via="/desk/webhooks", name="Help desk", url=url)
    assert 'id="secret"' not in refused.text
    with desk.database.reading() as session:
        assert session.query(WebhookEndpoint).count() == 0


def test_an_endpoint_that_rests_is_said_in_red_on_both_pages(colleague: Make, desk: Desk) -> None:
    admin = colleague(Role.ADMIN)
    admin.post("/desk/webhooks/register", via="/desk/webhooks", name="Help desk", url=HOOKS)
    with desk.database.writing() as session:
        row = session.get_one(WebhookEndpoint, 1)
        session.execute(WebhookEndpoint.__table__.update().values(status=EndpointStatus.RESTING.value, problem="too slow"))
        session.refresh(row)
        assert [one.id for one in endpoints.resting(session)] == [1]
    for at in ("/desk/webhooks", "/desk/webhooks/1"):
        assert "took nothing for a day" in admin.get(at).text


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_nobody_but_administrators_makes_tokens_or_endpoints(colleague: Make, desk: Desk, role: Role) -> None:
    somebody = colleague(role)
    for at in ("/desk/programs", "/desk/webhooks", "/desk/webhooks/1"):
        assert somebody.client.get(at).status_code == 403
    for at in ("/desk/programs/make", "/desk/programs/1/renew", "/desk/programs/tokens/1/revoke", "/desk/webhooks/register"):
        assert somebody.post(at, name="x", days="1", scope=["cases:read"], url=HOOKS).status_code == 403
    for deed in ("change", "secret", "on", "off", "test", "remove", "again/1"):
        assert somebody.post(f"/desk/webhooks/1/{deed}").status_code == 403
    with desk.database.reading() as session:
        assert tokens.listed(session, desk.vault) == []


def test_what_is_written_in_a_name_is_text(colleague: Make) -> None:
    admin = colleague(Role.ADMIN)
    token(admin, name="<script>alert(1)</script>")
    admin.post("/desk/webhooks/register", via="/desk/webhooks", name="<img src=x onerror=y>", url=HOOKS)
    for at in ("/desk/programs", "/desk/webhooks", "/desk/webhooks/1"):
        text = admin.get(at).text
        assert "<script>alert" not in text
        assert "<img src=x" not in text
