"""The ways in, strangers first: sign-in, lock, invitation, one's own password, the team and recovery by two."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

import httpx
import pyotp
import pytest

from bot.desk.staff import accounts
from bot.desk.staff.accounts import Profile
from bot.desk.staff.models import StaffAccount
from bot.desk.staff.roles import Role
from bot.desk.work import claims
from tests.desk.conftest import PASSWORD, Desk
from tests.web.console.conftest import Colleague

Colleagues = Callable[..., Colleague]


def form(page: str, **more: str) -> dict[str, str]:
    """The fields of a page's form, with what a person types."""
    held = re.search(r'name="csrf" value="([^"]+)"', page)
    assert held
    return {"csrf": held[1], **more}


def link_in(page: str) -> str:
    """The path of the link that a page shows."""
    held = re.search(r"https?://[^<\s]+(/desk/welcome/[\w-]+)", page)
    assert held, page
    return held[1]


def take_up(client: httpx.Client, desk: Desk, path: str, password: str = PASSWORD) -> httpx.Response:
    """Follow an invitation: scan, type, choose."""
    page = client.get(path).text
    secret = re.search(r'class="secret">([A-Z2-7 ]+)<', page)
    assert secret
    code = pyotp.TOTP(secret[1].replace(" ", "")).at(desk.clock())
    return client.post(path, data=form(page, code=code, password=password, again=password), follow_redirects=True)


# ---------------------------------------------------------------- signing in


def test_a_colleague_signs_in_and_sees_the_queue(colleague: Colleagues) -> None:
    ann = colleague(signed_in=False)
    answer = ann.sign_in()
    assert answer.url.path == "/desk"
    assert "<h1>Queue</h1>" in answer.text


def test_a_wrong_password_is_refused_in_the_same_words_as_an_unknown_name(colleague: Colleagues) -> None:
    ann = colleague(signed_in=False)
    wrong, unknown = ann.sign_in(password="seven purple parasols"), ann.sign_in(login="nobody@clinic.example")
    assert wrong.status_code == unknown.status_code == 401
    assert "Name, password or code is not right." in wrong.text
    assert wrong.text.replace(ann.login, "") == unknown.text.replace("nobody@clinic.example", "")
    assert PASSWORD not in wrong.text
    assert "seven purple parasols" not in wrong.text


def test_a_code_works_once(colleague: Colleagues) -> None:
    ann = colleague(signed_in=False)
    code = ann.code()
    assert ann.sign_in(code=code).url.path == "/desk"
    ann.post("/desk/sign-out")
    assert ann.sign_in(code=code).status_code == 401


def test_after_five_tries_one_waits_and_is_told_how_long(colleague: Colleagues) -> None:
    ann = colleague(signed_in=False)
    for _ in range(5):
        assert ann.sign_in(password="wrong wrong wrong").status_code == 401
    answer = ann.sign_in()
    assert answer.status_code == 429
    assert re.search(r"Tried too often\. Please wait 1\d min\.", answer.text)
    ann.desk.clock.advance(minutes=16)
    assert ann.sign_in().url.path == "/desk"


def test_whoever_was_on_the_way_to_a_page_gets_there(colleague: Colleagues) -> None:
    ann = colleague(signed_in=False)
    at = ann.get("/desk?view=mine")
    assert at.url.path == "/desk/sign-in"
    assert 'name="goal" value="/desk?view=mine"' in at.text
    assert ann.sign_in(goal="/desk?view=mine").url.query == b"view=mine"
    ann.post("/desk/sign-out")
    assert ann.sign_in(goal="https://evil.example/").url.path == "/desk"


def test_what_was_sent_after_the_session_ended_is_told_as_not_done(colleague: Colleagues, desk: Desk) -> None:
    ann = colleague()
    token = ann.token()
    desk.clock.advance(hours=13)
    answer = ann.client.post("/desk/language", data={"csrf": token, "language": "zh-Hant"}, follow_redirects=True)
    assert answer.url.path == "/desk/sign-in"
    assert "You were signed out or locked before this arrived" in answer.text
    with desk.database.reading() as session:
        assert session.get_one(StaffAccount, ann.id).language == "en"


# ---------------------------------------------------------------- lock and sign-out


def test_an_idle_session_locks_and_opens_again_with_password_and_code(colleague: Colleagues, desk: Desk) -> None:
    ann = colleague()
    desk.clock.advance(minutes=16)
    locked = ann.get("/desk?view=mine")
    assert locked.url.path == "/desk/locked"
    assert "<h1>Locked</h1>" in locked.text
    assert "Queue" not in locked.text
    before = ann.client.cookies["candour-desk"]
    wrong = ann.post("/desk/locked", via="/desk/locked", password="wrong wrong wrong", code=ann.code())
    assert wrong.status_code == 401
    opened = ann.post("/desk/locked", via="/desk/locked", password=PASSWORD, code=ann.code(), goal="/desk?view=mine")
    assert opened.url.query == b"view=mine"
    assert ann.client.cookies["candour-desk"] != before, "a lock that was opened makes a new token"


def test_one_can_lock_at_once(colleague: Colleagues) -> None:
    ann = colleague()
    assert ann.post("/desk/lock").url.path == "/desk/locked"
    assert ann.get("/desk").url.path == "/desk/locked"


def test_signing_out_ends_the_session_and_puts_back_what_is_owed(colleague: Colleagues, desk: Desk) -> None:
    case_id, ann = desk.case(), colleague()
    with desk.database.writing() as session:
        claims.claim(session, desk.vault, case_id, ann.id, desk.clock())
    token = ann.client.cookies["candour-desk"]
    answer = ann.post("/desk/sign-out")
    assert "Unanswered cases of yours that are back in the queue: 1." in answer.text
    assert desk.look(case_id).status == "open"
    ann.client.cookies.set("candour-desk", token, domain="127.0.0.1", path="/desk")
    assert ann.get("/desk").url.path == "/desk/sign-in", "the token is dead, not only forgotten"


def test_being_on_duty_is_switched_and_ends_with_the_shift(colleague: Colleagues, desk: Desk) -> None:
    case_id, ann = desk.case(), colleague(on_duty=False)
    assert "You are on duty." in ann.post("/desk/duty", on="1").text
    with desk.database.writing() as session:
        claims.claim(session, desk.vault, case_id, ann.id, desk.clock())
    assert "You are off duty. Unanswered cases of yours" in ann.post("/desk/duty", on="").text
    assert desk.look(case_id).status == "open"


# ---------------------------------------------------------------- the first one, and those they invite


def test_the_first_administrator_takes_up_the_link_of_the_terminal(desk: Desk, stranger: httpx.Client) -> None:
    with desk.database.writing() as session:
        made = accounts.first_admin(session, desk.vault, desk.index, Profile("Ada", "ada@clinic.example"), at=desk.clock())
        path = f"{accounts.WELCOME}{made.token}"
    page = stranger.get(path).text
    assert "Welcome, Ada" in page
    assert re.search(r'<svg class="qr" viewBox="0 0 (\d+) \1" role="img"', page)
    answer = take_up(stranger, desk, path)
    assert answer.url.path == "/desk/sign-in"
    assert "Your account is ready." in answer.text
    assert stranger.get(path).status_code == 410, "the link works once"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"again": "another long password"}, "The two passwords differ."),
        ({"password": "short", "again": "short"}, "A password has between 12 and 200 characters."),
        ({"password": "ada lovelace 1815", "again": "ada lovelace 1815"}, "must not hold your name"),
        ({"code": "000000"}, "The code is not right."),
        ({"code": "12"}, "The code is not right."),
    ],
)
def test_a_weak_or_wrong_answer_to_an_invitation_is_explained(
    desk: Desk, stranger: httpx.Client, changed: dict[str, str], said: str
) -> None:
    with desk.database.writing() as session:
        profile = Profile("Ada Lovelace", "ada@clinic.example")
        path = f"{accounts.WELCOME}{accounts.first_admin(session, desk.vault, desk.index, profile, at=desk.clock()).token}"
    page = stranger.get(path).text
    given = {"code": "000000", "password": PASSWORD, "again": PASSWORD, **changed}
    answer = stranger.post(path, data=form(page, **given))
    assert answer.status_code == 422
    assert said in unescape(answer.text)


def test_a_link_that_never_was_tells_nothing(stranger: httpx.Client) -> None:
    for token in ("x", "A" * 43):
        answer = stranger.get(f"/desk/welcome/{token}")
        assert answer.status_code == 410
        assert "This link has been used, has run out, or never was." in answer.text
        assert stranger.post(f"/desk/welcome/{token}", data=form(stranger.get("/desk/sign-in").text)).status_code == 410


def test_an_administrator_invites_and_the_link_is_shown_once(colleague: Colleagues, desk: Desk, stranger: httpx.Client) -> None:
    ada = colleague(Role.ADMIN)
    who = {"name": "Ben Chan", "login": "ben@clinic.example", "role": ["agent", "lead"]}
    shown = ada.post("/desk/team/invite", via="/desk/team", **who)
    path = link_in(shown.text)
    assert path.rsplit("/", 1)[1] not in ada.get("/desk/team").text
    assert take_up(stranger, desk, path).url.path == "/desk/sign-in"
    team = ada.get("/desk/team").text
    assert "Ben Chan" in team
    assert "Agent · Lead" in team
    again = ada.post("/desk/team/invite", via="/desk/team", **who)
    assert "This sign-in name exists already." in again.text
    nobody = ada.post("/desk/team/invite", via="/desk/team", name="C", login="c@clinic.example")
    assert "At least one role is needed." in nobody.text
    strange = ada.post("/desk/team/invite", via="/desk/team", name="C", login="c@clinic.example", role="king")
    assert "There is no such role." in strange.text


def test_roles_and_accounts_change_at_once_and_never_ones_own(colleague: Colleagues, desk: Desk) -> None:
    ada, ben = colleague(Role.ADMIN), colleague()
    assert ben.get("/desk/team").status_code == 403
    ada.post(f"/desk/team/{ben.id}/roles", via="/desk/team", role="admin")
    assert ben.get("/desk/team").status_code == 200
    assert "Nobody changes their own roles." in ada.post(f"/desk/team/{ada.id}/roles", via="/desk/team", role="lead").text
    assert "Nobody suspends themselves." in ada.post(f"/desk/team/{ada.id}/suspend", via="/desk/team").text
    assert "disabled and signed out" in ada.post(f"/desk/team/{ben.id}/suspend", via="/desk/team").text
    assert ben.get("/desk").url.path == "/desk/sign-in"
    assert "works again" in ada.post(f"/desk/team/{ben.id}/reinstate", via="/desk/team").text
    assert ben.sign_in().url.path == "/desk/approvals", "who may not see the queue begins where they may"
    assert ada.post("/desk/team/999/suspend", via="/desk/team").status_code == 404


def test_nobody_asks_for_the_recovery_of_an_account_that_is_none(colleague: Colleagues) -> None:
    ada = colleague(*Role)
    for number in ("2147483647", "9" * 30):
        assert ada.client.post(f"/desk/team/{number}/recover", data={"csrf": ada.token()}).status_code == 404
    assert ada.get("/desk/approvals").status_code == 200


def test_recovery_takes_two_and_ends_what_was_before(colleague: Colleagues, desk: Desk, stranger: httpx.Client) -> None:
    ada, ben, lea = colleague(Role.ADMIN), colleague(), colleague(Role.LEAD)
    assert "Recovery takes two other people." in ada.post(f"/desk/team/{ada.id}/recover", via="/desk/team").text
    asked = ada.post(f"/desk/team/{ben.id}/recover", via="/desk/team")
    assert "Nothing changes before another person agrees" in asked.text
    assert "On duty and able to decide this: 1." in asked.text
    assert "another person has to decide" in ada.post("/desk/approvals/1/agree", via="/desk/approvals").text
    assert ben.get("/desk").url.path == "/desk", "nothing has happened yet"
    shown = lea.post("/desk/approvals/1/agree", via="/desk/approvals")
    path = link_in(shown.text)
    assert ben.get("/desk").url.path == "/desk/sign-in"
    assert ben.client.post("/desk/sign-in", data={}).status_code == 403
    take_up(stranger, desk, path, password="nine green teapots")
    assert ben.sign_in(password="nine green teapots").url.path == "/desk"


def test_nobody_decides_about_their_own_account(colleague: Colleagues) -> None:
    ada, lea = colleague(Role.ADMIN), colleague(Role.LEAD)
    ada.post(f"/desk/team/{lea.id}/recover", via="/desk/team")
    assert "/desk/approvals/1/agree" not in lea.get("/desk/approvals").text
    assert "does not allow deciding" in lea.post("/desk/approvals/1/agree", via="/desk/approvals").text


# ---------------------------------------------------------------- one's own


def test_a_password_is_changed_with_the_present_one_and_signs_out_elsewhere(colleague: Colleagues, desk: Desk) -> None:
    ann = colleague()
    elsewhere = ann.client.cookies["candour-desk"]
    ann.client.cookies.clear()
    ann.sign_in()
    new = {"password": "nine green teapots", "again": "nine green teapots"}
    assert "not right" in ann.post("/desk/password", present="wrong", code=ann.code(), **new).text
    assert "not right" in ann.post("/desk/password", present=PASSWORD, code="000000", **new).text
    assert "differ" in ann.post("/desk/password", present=PASSWORD, code=ann.code(), **{**new, "again": "x"}).text
    weak = {"password": "short", "again": "short"}
    assert "between 12 and 200" in ann.post("/desk/password", present=PASSWORD, code=ann.code(), **weak).text
    assert "The password is changed." in ann.post("/desk/password", present=PASSWORD, code=ann.code(), **new).text
    ann.client.cookies.clear()
    ann.client.cookies.set("candour-desk", elsewhere, domain="127.0.0.1", path="/desk")
    assert ann.get("/desk").url.path == "/desk/sign-in"
    ann.client.cookies.clear()
    assert ann.sign_in().status_code == 401
    assert ann.sign_in(password="nine green teapots").url.path == "/desk"


def test_the_language_is_the_colleagues_own_and_of_the_browser_before(colleague: Colleagues, stranger: httpx.Client) -> None:
    assert 'lang="zh-Hant"' in stranger.get("/desk/sign-in", headers={"accept-language": "zh-HK"}).text
    assert "<h1>登入</h1>" in stranger.get("/desk/sign-in?lang=zh-Hant").text
    ann = colleague()
    page = ann.post("/desk/language", via="/desk", language="zh-Hant")
    assert "<h1>個案輪候</h1>" in page.text
    assert "The console speaks" not in ann.post("/desk/language", language="fr").text
    assert "控制台只提供英文及繁體中文。" in ann.post("/desk/language", language="fr").text


def test_nothing_secret_is_logged(colleague: Colleagues, logged: Callable[[], str], desk: Desk) -> None:
    ann = colleague(signed_in=False)
    code = ann.code()
    ann.sign_in(code=code)
    ann.sign_in(password="a wrong but telling password")
    # The test's own client logs what it sends.
    ours = "\n".join(line for line in logged().splitlines() if "httpcore" not in line and "httpx" not in line)
    assert "/desk/sign-in" in ours
    for secret in (PASSWORD, "telling", ann.login, ann.client.cookies["candour-desk"]):
        assert secret not in ours
