"""The console's door: every route, the ones made later too, before people who must not pass it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import httpx
import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute

from bot.assembly import Application
from bot.base.settings import Settings
from bot.desk.staff.models import StaffAccount
from bot.desk.staff.roles import ALLOWS, Permission, Role
from bot.desk.staff.sessions import IDLE, LASTS
from bot.web.app import create_app
from bot.web.console import pages
from bot.web.console.answers import ConsoleRoute, console_router
from bot.web.console.door import PREFIX, Access, access_of
from bot.web.console.install import install
from bot.web.console.pages import me
from bot.web.console.rendering import own_place
from bot.web.limits import UNLIMITED
from tests.desk.conftest import Desk
from tests.web.conftest import serving
from tests.web.console.conftest import Colleague

Colleagues = Callable[..., Colleague]

OPEN = {"/desk/sign-in", "/desk/welcome/{token}"}
"""The only routes for people without an account."""
WHILE_LOCKED = {"/desk/locked", "/desk/sign-out"}


def console_routes(app: FastAPI) -> Iterator[tuple[str, str, Access | None]]:
    """Every route below /desk as (method, path, who may)."""

    def walk(routes: object) -> Iterator[APIRoute]:
        for route in routes:  # type: ignore[attr-defined]
            if isinstance(route, APIRoute):
                yield route
            inner = getattr(route, "original_router", None) or getattr(route, "router", None)
            if inner is not None:
                yield from walk(inner.routes)

    for route in walk(app.router.routes):
        if route.path.startswith(PREFIX):
            for method in sorted((route.methods or set()) - {"HEAD"}):
                yield method, route.path, access_of(route)


@pytest.fixture
def routes(application: Application) -> list[tuple[str, str, Access]]:
    """All of them, each with who may use it."""
    found = list(console_routes(create_app(application, UNLIMITED)))
    assert [path for _, path, access in found if access is None] == []
    assert len(found) > 20
    return [(method, path, access) for method, path, access in found if access is not None]


def filled(path: str) -> str:
    """The path with something in its blanks."""
    return re.sub(r"\{[^}]*\}", "1", path)


def ask(client: httpx.Client, method: str, path: str, **more: object) -> httpx.Response:
    return client.request(method, filled(path), follow_redirects=False, **more)  # type: ignore[arg-type]


def test_only_the_ways_in_are_for_everybody(routes: list[tuple[str, str, Access]]) -> None:
    assert {path for _, path, access in routes if access.is_public} == OPEN
    assert {path for _, path, access in routes if access.while_locked} == WHILE_LOCKED


def test_every_route_answers_errors_as_the_console_does(application: Application) -> None:
    for name in (module for module in vars(pages).values() if hasattr(module, "router")):
        assert all(isinstance(route, ConsoleRoute) for route in name.router.routes), name


def test_every_route_sends_a_stranger_to_the_sign_in(routes: list[tuple[str, str, Access]], stranger: httpx.Client) -> None:
    for method, path, access in routes:
        if access.is_public:
            continue
        for cookie in ("", "candour-desk=x", "candour-desk=" + "A" * 43):
            answer = ask(stranger, method, path, headers={"cookie": cookie})
            assert answer.status_code == 303, (method, path, answer.text[:200])
            assert answer.headers["location"].startswith("/desk/sign-in"), (method, path)


def test_every_route_refuses_a_role_that_may_not(
    routes: list[tuple[str, str, Access]], colleague: Colleagues, application: Application
) -> None:
    people = {role: colleague(role) for role in Role}
    tokens = {role: one.token() for role, one in people.items()}
    refused = 0
    for method, path, access in routes:
        for role, one in people.items():
            if access.permission is None or access.permission in ALLOWS[role]:
                continue
            # With the right token: it is the role alone that keeps them out.
            answer = ask(one.client, method, path, data={"csrf": tokens[role]} if method != "GET" else None)
            assert answer.status_code == 403, (method, path, role)
            assert "Your role does not include this" in answer.text
            refused += 1
    assert refused > 20


def test_every_change_refuses_a_foreign_token_and_a_foreign_page(
    routes: list[tuple[str, str, Access]], desk: Desk, colleague: Colleagues, stranger: httpx.Client
) -> None:
    everybody = colleague(*Role)
    other = colleague(*Role)
    own, foreign = everybody.token(), other.token()
    stranger.get("/desk/sign-in")
    changes = [(method, path, access) for method, path, access in routes if method != "GET"]
    assert len(changes) > 10
    for method, path, access in changes:
        client = stranger if access.is_public else everybody.client
        for token in (foreign, "", own[:-1] + ("A" if own[-1] != "A" else "B"), "é"):
            answer = ask(client, method, path, data={"csrf": token})
            assert answer.status_code == 403, (method, path, token)
        for headers in (
            {"origin": "https://evil.example"},
            {"origin": "null"},
            {"origin": "null", "sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ):
            answer = ask(client, method, path, data={"csrf": own}, headers=headers)
            assert answer.status_code == 403, (method, path, headers)


def test_every_route_refuses_a_session_that_is_over_locked_or_taken_away(
    routes: list[tuple[str, str, Access]], desk: Desk, colleague: Colleagues
) -> None:
    one = colleague(*Role)
    token = one.token()
    desk.clock.advance(seconds=IDLE.total_seconds() + 1)
    for method, path, access in routes:
        if access.is_public or access.while_locked:
            continue
        answer = ask(one.client, method, path, data={"csrf": token} if method != "GET" else None)
        assert answer.headers.get("location", "").startswith("/desk/locked"), (method, path)
        assert ask(one.client, method, path, headers={"x-by-itself": "1"}).status_code == 423
    desk.clock.advance(seconds=LASTS.total_seconds())
    for method, path, access in routes:
        if not access.is_public:
            answer = ask(one.client, method, path, data={"csrf": token} if method != "GET" else None)
            assert answer.headers.get("location", "").startswith("/desk/sign-in"), (method, path)
            assert ask(one.client, method, path, headers={"accept": "text/event-stream"}).status_code == 401


def test_a_suspended_colleague_is_out_at_once(desk: Desk, colleague: Colleagues) -> None:
    one = colleague()
    with desk.database.writing() as session:
        session.get_one(StaffAccount, one.id).status = "suspended"
    assert one.get("/desk").url.path == "/desk/sign-in"


def test_a_route_that_does_not_say_who_may_use_it_stops_the_start(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    router = console_router()
    router.add_api_route("/forgotten", lambda: None)
    monkeypatch.setattr(me, "router", router)
    with pytest.raises(RuntimeError, match="/desk/forgotten does not say who may use it"):
        install(FastAPI(), create_app(application, UNLIMITED).state.door)


def test_cookies_are_for_this_site_this_path_and_no_script(colleague: Colleagues) -> None:
    one = colleague(signed_in=False)
    form = {"login": one.login, "password": "seven purple umbrellas", "code": one.code(), "csrf": one.token("/desk/sign-in")}
    cookies = one.client.post("/desk/sign-in", data=form).headers.get_list("set-cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("candour-desk="))
    for attribute in ("HttpOnly", "Path=/desk", "SameSite=strict"):
        assert attribute in session
    assert "Secure" not in session, "this one is served without https"
    assert "Max-Age" not in session, "it ends with the browser"


def test_behind_https_cookies_insist_on_it(settings: Settings, application: Application) -> None:
    public = settings.model_copy(update={"public_url": "https://help.clinic.example"})
    with serving(replace(application, settings=public)) as at:
        cookie = httpx.get(f"{at}/desk/sign-in", trust_env=False, timeout=60).headers["set-cookie"]
    assert cookie.startswith("__Secure-candour-desk-form=")
    assert "Secure" in cookie.split("; ")


def test_what_a_page_does_by_itself_keeps_no_session_awake(desk: Desk, colleague: Colleagues) -> None:
    one = colleague()
    for _ in range(4):
        desk.clock.advance(minutes=4)
        answer = one.client.get("/desk", headers={"x-by-itself": "1"})
    assert answer.status_code == 423
    two = colleague()
    for _ in range(4):
        desk.clock.advance(minutes=4)
        assert two.client.get("/desk").status_code == 200


@pytest.mark.parametrize(
    "foreign",
    [
        "https://evil.example",
        "//evil.example",
        "/desk\\evil",
        "/",
        "/chat",
        "/deskevil",
        "/desk/\nx",
        "/desk/é",
        "",
        "/desk/" + "x" * 600,
    ],
)
def test_nobody_is_led_elsewhere(foreign: str) -> None:
    assert own_place(foreign) == "/desk"


def test_a_form_leads_back_to_its_page_and_to_no_other_site(colleague: Colleagues) -> None:
    one = colleague()
    form = {"csrf": one.token(), "language": "zh-Hant"}
    assert one.client.post("/desk/language", data={**form, "back": "/desk?view=mine"}).headers["location"] == "/desk?view=mine"
    assert one.client.post("/desk/language", data={**form, "back": "//evil.example"}).headers["location"] == "/desk"


@pytest.mark.parametrize(
    "held",
    [
        [["<b>call 1234</b>", False, {}]],
        [["answers", True, {"sentence": "Please call +852 1234 5678 now."}]],
        [["queue.taken", True, {"wrong": "x"}]],
        [[1]],
        {"a": 1},
        "x",
        [["queue.taken", True, {"name": "<script>alert(1)</script>"}]],
    ],
)
def test_a_notice_cannot_be_put_in_by_others(colleague: Colleagues, held: object) -> None:
    one = colleague()
    packed = base64.urlsafe_b64encode(json.dumps(held).encode()).decode()
    for cookie in (packed, "%%%", "AAAA"):
        one.client.cookies.set("candour-desk-notice", cookie, domain="127.0.0.1", path="/desk")
        page = one.client.get("/desk/me")
        assert page.status_code == 200
        assert "1234" not in page.text
        assert "<script>alert" not in page.text


def test_an_address_that_is_none_is_told_as_a_page(colleague: Colleagues, stranger: httpx.Client) -> None:
    answer = colleague().get("/desk/nothing-here")
    assert answer.status_code == 404
    assert "There is nothing at this address" in answer.text
    assert stranger.get("/desk/nothing-here").headers["location"].startswith("/desk/sign-in")


def test_a_number_that_no_column_can_hold_is_nobody(colleague: Colleagues) -> None:
    lead = colleague(Role.LEAD)
    huge = "9" * 30
    assert lead.post(f"/desk/queue/{huge}/claim").status_code == 404
    assert lead.post("/desk/queue/-1/claim").status_code == 404
    assert lead.get(f"/desk?priority={huge}").status_code == 422


def test_a_form_with_a_thousand_fields_or_a_long_one_is_refused(colleague: Colleagues) -> None:
    one = colleague(Role.LEAD)
    token = one.token("/desk")
    for body in ({"csrf": token, **{f"f{n}": "1" for n in range(1100)}}, {"csrf": token, "outcome": "x" * 3000}):
        answer = one.client.post("/desk/queue/close", data=body, follow_redirects=True)
        assert answer.status_code in (200, 403)
        assert "Asked to close" not in answer.text


def test_the_policy_of_every_page_forbids_inline_script_and_style(colleague: Colleagues) -> None:
    one = colleague(*Role)
    for path in ("/desk", "/desk/me", "/desk/team", "/desk/approvals"):
        page = one.get(path)
        assert page.status_code == 200, path
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        assert not re.search(r"<script(?![^>]*src=)|<style| style=| on[a-z]+=", page.text), path


def test_permissions_cover_what_the_console_asks(routes: list[tuple[str, str, Access]]) -> None:
    asked = {access.permission for _, _, access in routes if access.permission}
    assert asked <= set(Permission)
