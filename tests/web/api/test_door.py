"""Who must not get in: no token, a wrong, expired or revoked one, the wrong scope, a suspended program."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from bot.assembly import Application
from bot.base.audit import AuditEntry
from bot.base.errors import BadInput
from bot.desk.integrations import tokens
from bot.desk.integrations.models import ApiToken
from bot.desk.models import CaseStatus
from bot.desk.staff import accounts
from bot.desk.staff.roles import GRANTS, Role, Scope
from bot.web.api.app import guarded_routes
from bot.web.limits import UNLIMITED, Limits
from tests.desk.conftest import Desk
from tests.web.api.conftest import API, EVERYTHING, Program
from tests.web.conftest import serving

Programs = Callable[..., Program]
ROUTES = [
    (method, re.sub(r"\{\w+\}", "1", route.path), access)
    for route, access in guarded_routes()
    if not access.is_public
    for method in sorted(route.methods or ())
]


def refused(answer: httpx.Response, status: int, kind: str) -> None:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), answer.text
    assert answer.json()["type"] == f"/api/v1/problems/{kind}"


def all_refuse(door: str, status: int, kind: str, headers: dict[str, str]) -> None:
    with httpx.Client(base_url=door, headers=headers, trust_env=False, timeout=60) as client:
        for method, path, _ in ROUTES:
            refused(client.request(method, API + path, json={} if method != "GET" else None), status, kind)


def test_there_are_routes_to_try() -> None:
    assert len(ROUTES) > 45
    assert {access.scope for _, _, access in ROUTES} == {None, *Scope}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer cdr_" + "a" * 46},
        {"Authorization": "Bearer %00 {}; DROP"},
        {"Authorization": "Basic Y2RyOng="},
        {"Cookie": "candour-desk=x; candour=y"},
        {"X-Token": "cdr_" + "a" * 46},
    ],
    ids=["none", "wrong", "garbage", "basic", "cookie", "elsewhere"],
)
def test_every_route_refuses_whoever_has_no_good_token(door: str, headers: dict[str, str]) -> None:
    all_refuse(door, 401, "no_token", headers)


def test_every_route_refuses_a_token_that_is_over(program: Programs, desk: Desk, door: str) -> None:
    bridge = program(days=1)
    desk.clock.advance(days=1)
    all_refuse(door, 401, "no_token", dict(bridge.client.headers))


def test_every_route_refuses_a_revoked_token_at_once(program: Programs, desk: Desk, door: str, admin: int) -> None:
    bridge = program()
    assert bridge.get("/me").status_code == 200
    with desk.database.writing() as session:
        assert tokens.revoke(session, desk.vault, bridge.token_id, by=admin, at=desk.clock())
        assert not tokens.revoke(session, desk.vault, bridge.token_id, by=admin, at=desk.clock())
    all_refuse(door, 401, "no_token", dict(bridge.client.headers))


def test_every_route_refuses_a_suspended_program(program: Programs, desk: Desk, door: str, admin: int) -> None:
    bridge = program()
    with desk.database.writing() as session:
        accounts.suspend(session, desk.vault, bridge.id, by=admin, at=desk.clock())
    all_refuse(door, 401, "no_token", dict(bridge.client.headers))


@pytest.mark.parametrize("scope", list(Scope))
def test_every_route_refuses_a_token_without_its_scope(program: Programs, scope: Scope) -> None:
    bridge = program(scope)
    for method, path, access in ROUTES:
        if access.scope is None or GRANTS[access.scope][0] in GRANTS[scope]:
            continue
        answer = bridge.client.request(method, API + path, json={} if method != "GET" else None)
        refused(answer, 403, "scope_missing")
        assert answer.json()["scope"] == access.scope.value


def test_a_scope_is_asked_for_before_anything_of_the_request_is_looked_at(program: Programs, desk: Desk) -> None:
    case_id, reader = desk.case(), program(Scope.CASES_READ)
    refused(reader.on(case_id, "claim"), 403, "scope_missing")
    refused(reader.on(case_id, "resolve", {"outcome": "answered"}), 403, "scope_missing")
    refused(reader.post("/patients/search", {"by": "name", "value": "x", "reason": "long enough"}), 403, "scope_missing")
    assert desk.look(case_id).status == CaseStatus.OPEN


def test_a_token_is_not_taken_from_an_address(program: Programs) -> None:
    bridge = program()
    with httpx.Client(base_url=str(bridge.client.base_url), trust_env=False, timeout=60) as client:
        refused(client.get(f"{API}/me", params={"token": bridge.secret, "access_token": bridge.secret}), 401, "no_token")


def test_the_page_of_another_site_is_refused(program: Programs) -> None:
    bridge = program()
    answer = bridge.client.get(f"{API}/me", headers={"Origin": "https://evil.example.com"})
    refused(answer, 403, "foreign_origin")


def test_a_person_is_no_program_and_a_program_no_person(program: Programs, desk: Desk, admin: int) -> None:
    bridge, lead = program(), desk.colleague(Role.LEAD)
    with desk.database.writing() as session, pytest.raises(BadInput, match="no such program"):
        tokens.renew(session, desk.vault, desk.index, lead, days=1, by=admin, at=desk.clock())
    for deed in (
        lambda session: accounts.set_roles(session, desk.vault, bridge.id, [Role.LEAD], by=admin, at=desk.clock()),
        lambda session: accounts.set_on_duty(session, desk.vault, bridge.id, True, at=desk.clock()),
        lambda session: accounts.recover(session, desk.vault, bridge.id, by=lead, approved_by=admin, at=desk.clock()),
    ):
        with desk.database.writing() as session, pytest.raises(BadInput, match="belongs to a program"):
            deed(session)


def test_only_who_manages_staff_makes_and_ends_tokens(desk: Desk) -> None:
    lead = desk.colleague(Role.LEAD)
    with desk.database.writing() as session, pytest.raises(BadInput, match="role does not allow"):
        tokens.make(session, desk.vault, desk.index, name="bridge", scopes=EVERYTHING, days=1, by=lead, at=desk.clock())
    with desk.database.writing() as session, pytest.raises(BadInput, match="role does not allow"):
        tokens.revoke(session, desk.vault, 1, by=lead, at=desk.clock())


def test_what_is_kept_of_a_token_is_no_way_to_use_it(program: Programs, desk: Desk, logged: Callable[[], str]) -> None:
    bridge = program()
    bridge.get("/me")
    with desk.database.reading() as session:
        row = session.get_one(ApiToken, bridge.token_id)
        kept = f"{row.entry} {row.hint} {row.made_by}"
        assert all(
            bridge.secret[4:] not in str(one.content if hasattr(one, "content") else one.kind)
            for one in session.query(AuditEntry)
        )
    assert bridge.secret not in kept
    assert bridge.secret[4:20] not in kept
    assert bridge.secret not in logged()
    assert tokens.is_wellformed(bridge.secret)
    assert not tokens.is_wellformed(bridge.secret[:-1] + ("a" if bridge.secret[-1] != "a" else "b"))


def test_when_it_was_last_used_is_kept_and_its_last_end_gives_its_cases_back(program: Programs, desk: Desk, admin: int) -> None:
    case_id, bridge = desk.case(), program()
    bridge.on(case_id, "claim")
    with desk.database.writing() as session:
        assert session.get_one(ApiToken, bridge.token_id).used_at == desk.clock()
        further = tokens.renew(session, desk.vault, desk.index, bridge.id, days=9, by=admin, at=desk.clock()).row.id
        tokens.revoke(session, desk.vault, bridge.token_id, by=admin, at=desk.clock())
    assert desk.look(case_id).claimed_by == bridge.id
    with desk.database.writing() as session:
        tokens.revoke(session, desk.vault, further, by=admin, at=desk.clock())
    assert desk.look(case_id).status == CaseStatus.OPEN


def test_a_token_has_its_limit_and_guessing_has_one(desk: Desk, application: Application, admin: int) -> None:
    values: dict[str, Any] = {**UNLIMITED.__dict__, "token_requests": "3 per minute", "address_refusals": "2 per minute"}
    with desk.database.writing() as session:
        made = tokens.make(session, desk.vault, desk.index, name="bridge", scopes=EVERYTHING, days=1, by=admin, at=desk.clock())
    with serving(application, Limits(**values)) as at, httpx.Client(base_url=at, trust_env=False, timeout=60) as client:
        good = {"Authorization": f"Bearer {made.secret}"}
        assert [client.get(f"{API}/me", headers=good).status_code for _ in range(4)] == [200, 200, 200, 429]
        refused(client.get(f"{API}/me", headers=good), 429, "too_many")
        assert [client.get(f"{API}/me").status_code for _ in range(3)] == [401, 401, 429]


def test_what_is_not_there_is_a_problem_too(program: Programs) -> None:
    bridge = program()
    refused(bridge.get("/no/such"), 404, "not_found")
    refused(bridge.get("/cases/0000-0000-0"), 404, "not_found")
    refused(bridge.client.delete(f"{API}/cases"), 405, "wrong_method")
    refused(bridge.client.post(f"{API}/patients/search", content=b"{"), 422, "not_as_described")
    refused(bridge.client.post(f"{API}/patients/search", content=b"x" * (1024 * 1024 + 1)), 413, "too_large")
    told = bridge.get("/problems/taken").json()
    assert (told["status"], told["title"]) == (409, "Somebody else has the case")
    refused(bridge.get("/problems/no_such"), 404, "not_found")


def test_neither_a_token_nor_a_case_number_nor_a_word_stands_in_the_logs(
    program: Programs, desk: Desk, logged: Callable[[], str]
) -> None:
    case_id, bridge = desk.case(), program()
    bridge.on(case_id, "notes", {"text": "a very private word"})
    bridge.get("/texts", q="a very private word")
    # What the client of this test logs is the client's.
    told = "\n".join(line for line in logged().splitlines() if "httpx:" not in line and "httpcore." not in line)
    assert "/cases/{number}/notes" in told
    assert bridge.number(case_id) not in told
    assert "private word" not in told
    assert bridge.secret not in told
