"""Staff: invitations, sign-in, sessions, roles, and what two people decide."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pyotp
import pytest
from typer.testing import CliRunner

from bot.base.audit import AuditEntry
from bot.base.clock import system_clock
from bot.base.errors import BadInput, NotAuthentic, TooMany
from bot.base.settings import REPOSITORY
from bot.cli.app import app
from bot.desk.staff import accounts, approvals, sessions
from bot.desk.staff.accounts import Profile
from bot.desk.staff.approvals import What
from bot.desk.staff.models import SECRET, StaffAccount, StaffAttempt
from bot.desk.staff.roles import ALLOWS, CHANGES_NOTHING, Permission, Role, permitted
from bot.desk.staff.sessions import SessionState, SignedIn
from tests.conftest import Keys
from tests.desk.conftest import PASSWORD, Desk

LOGIN = "colleague1@clinic.example"


def code(desk: Desk, staff_id: int) -> str:
    with desk.database.reading() as session:
        sealed = session.get_one(StaffAccount, staff_id).sealed_totp
    return pyotp.TOTP(desk.vault.open(sealed or "", SECRET)).at(desk.clock())


def sign_in(desk: Desk, **changed: str) -> SignedIn:
    given = {"login": LOGIN, "password": PASSWORD, "address": "192.0.2.1", **changed}
    return sessions.sign_in(desk.database, desk.vault, desk.index, at=desk.clock(), **given)


def present(desk: Desk, token: str) -> sessions.Present:
    with desk.database.reading() as session:
        return sessions.present(session, token, desk.clock())


def test_who_is_invited_signs_in_with_password_and_code(desk: Desk) -> None:
    staff_id = desk.colleague(Role.LEAD)
    desk.clock.advance(minutes=1)
    signed_in = sign_in(desk, code=code(desk, staff_id))
    who = present(desk, signed_in.token)
    assert (who.account.id, who.state) == (staff_id, SessionState.OPEN)
    assert who.may == ALLOWS[Role.LEAD]
    assert sessions.csrf_holds(who, signed_in.csrf)
    assert not sessions.csrf_holds(who, "")
    with desk.database.reading() as session:
        stored = session.connection().exec_driver_sql("SELECT token_hash FROM staff_sessions").scalar_one()
        profile = session.connection().exec_driver_sql("SELECT sealed_profile FROM staff_accounts").scalar_one()
    assert signed_in.token not in stored
    assert "colleague1" not in profile


@pytest.mark.parametrize("changed", [{"password": "another password"}, {"login": "nobody@clinic.example"}, {"code": "000000"}])
def test_who_must_not_get_in_hears_the_same_words(lite: Desk, changed: dict[str, str]) -> None:
    staff_id = lite.colleague()
    lite.clock.advance(minutes=1)
    with pytest.raises(NotAuthentic, match=r"^Name, password or code is not right\.$"):
        sign_in(lite, **{"code": code(lite, staff_id), **changed})


def test_a_code_works_once(lite: Desk) -> None:
    staff_id = lite.colleague()
    lite.clock.advance(minutes=1)
    sign_in(lite, code=code(lite, staff_id))
    with pytest.raises(NotAuthentic):
        sign_in(lite, code=code(lite, staff_id))


def test_tries_are_counted_per_person_also_when_they_come_at_once(desk: Desk) -> None:
    staff_id = desk.colleague()
    desk.clock.advance(minutes=1)

    def attempt(n: int) -> type[Exception]:
        try:
            sign_in(desk, password=f"wrong password {n}", code="123456", address=f"192.0.2.{n}")
        except (NotAuthentic, TooMany) as refused:
            return type(refused)
        raise AssertionError

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(attempt, range(12)))
    assert said.count(NotAuthentic) == 5
    with pytest.raises(TooMany) as wait:
        sign_in(desk, code=code(desk, staff_id))
    assert 0 < wait.value.retry_after_s <= 900
    desk.clock.advance(minutes=16)
    assert sign_in(desk, code=code(desk, staff_id)).staff_id == staff_id


def test_one_address_tries_many_names_only_so_often(lite: Desk) -> None:
    from bot.desk.staff import throttle

    entry = lite.index.index("network", "192.0.2.9")
    with lite.database.writing() as session:
        session.add_all(StaffAttempt(kind=throttle.SIGN_IN_ADDRESS.kind, entry=entry, at=lite.clock()) for _ in range(30))
    with pytest.raises(TooMany):
        sign_in(lite, login="somebody else", address="192.0.2.9", code="123456")


def test_a_session_locks_when_idle_and_ends_whatever_happens(lite: Desk) -> None:
    staff_id = lite.colleague()
    lite.clock.advance(minutes=1)
    token = sign_in(lite, code=code(lite, staff_id)).token
    for _ in range(3):
        lite.clock.advance(minutes=10)
        who = present(lite, token)
        assert who.state is SessionState.OPEN
        with lite.database.writing() as session:
            sessions.touch(session, who, lite.clock())
    lite.clock.advance(minutes=15)
    locked = present(lite, token)
    assert (locked.state, locked.may) == (SessionState.LOCKED, frozenset())
    with lite.database.writing() as session:
        sessions.touch(session, locked, lite.clock())
    assert present(lite, token).state is SessionState.LOCKED, "only password and code open it"
    new = sessions.unlock(
        lite.database,
        lite.vault,
        lite.index,
        token,
        password=PASSWORD,
        code=code(lite, staff_id),
        address="192.0.2.1",
        at=lite.clock(),
    )
    with pytest.raises(NotAuthentic):
        present(lite, token)
    lite.clock.advance(hours=12)
    with pytest.raises(NotAuthentic):
        present(lite, new.token)


def test_a_suspended_colleague_is_out_at_once(lite: Desk) -> None:
    staff_id, admin = lite.colleague(), lite.colleague(Role.ADMIN)
    lite.clock.advance(minutes=1)
    token = sign_in(lite, code=code(lite, staff_id)).token
    with lite.database.writing() as session:
        with pytest.raises(BadInput, match="themselves"):
            accounts.suspend(session, lite.vault, admin, by=admin, at=lite.clock())
        accounts.suspend(session, lite.vault, staff_id, by=admin, at=lite.clock())
    with pytest.raises(NotAuthentic):
        present(lite, token)
    lite.clock.advance(minutes=1)
    with pytest.raises(NotAuthentic):
        sign_in(lite, code=code(lite, staff_id))


def test_the_first_administrator_is_made_once(lite: Desk) -> None:
    profile = Profile("Ada Wong", "ada@clinic.example")
    with lite.database.writing() as session:
        first = accounts.first_admin(session, lite.vault, lite.index, profile, at=lite.clock())
        with pytest.raises(BadInput, match="again"):
            accounts.first_admin(session, lite.vault, lite.index, profile, at=lite.clock())
        second = accounts.first_admin(session, lite.vault, lite.index, profile, at=lite.clock(), again=True)
        with pytest.raises(NotAuthentic):
            accounts.offered(session, lite.vault, first.token, lite.clock())
        secret = accounts.offered(session, lite.vault, second.token, lite.clock()).secret
        given = pyotp.TOTP(secret).at(lite.clock())
        for weak in ("short", "a" * 20, "wong wong wong 12"):
            with pytest.raises(BadInput):
                accounts.accept(session, lite.vault, second.token, password=weak, code=given, at=lite.clock())
        wrong = f"{(int(given) + 1) % 10**6:06}"
        assert accounts.accept(session, lite.vault, second.token, password=PASSWORD, code=wrong, at=lite.clock()) is None
        assert accounts.accept(session, lite.vault, second.token, password=PASSWORD, code=given, at=lite.clock())
        with pytest.raises(NotAuthentic):
            accounts.accept(session, lite.vault, second.token, password=PASSWORD, code=given, at=lite.clock())
        with pytest.raises(BadInput, match="already"):
            accounts.first_admin(session, lite.vault, lite.index, profile, at=lite.clock(), again=True)


def test_a_link_is_over_after_a_day(lite: Desk) -> None:
    with lite.database.writing() as session:
        made = accounts.first_admin(session, lite.vault, lite.index, Profile("Ada", "ada"), at=lite.clock())
        lite.clock.advance(hours=24)
        with pytest.raises(NotAuthentic):
            accounts.offered(session, lite.vault, made.token, lite.clock())


def test_recovery_takes_two_others(lite: Desk) -> None:
    staff_id, one, two = lite.colleague(), lite.colleague(Role.ADMIN), lite.colleague(Role.ADMIN)
    with lite.database.writing() as session:
        for by, approved_by in ((one, one), (staff_id, one), (one, staff_id)):
            with pytest.raises(BadInput, match="two other people"):
                accounts.recover(session, lite.vault, staff_id, by=by, approved_by=approved_by, at=lite.clock())
        accounts.recover(session, lite.vault, staff_id, by=one, approved_by=two, at=lite.clock())
    with pytest.raises(NotAuthentic):
        sign_in(lite, code="123456")


def test_somebody_always_manages_staff(lite: Desk) -> None:
    one, two = lite.colleague(Role.ADMIN), lite.colleague(Role.ADMIN)
    with lite.database.writing() as session:
        accounts.set_roles(session, lite.vault, two, [Role.AGENT], by=one, at=lite.clock())
        with pytest.raises(BadInput, match="role does not allow"):
            accounts.set_roles(session, lite.vault, one, [Role.AGENT], by=two, at=lite.clock())
        with pytest.raises(BadInput, match="role does not allow"):
            accounts.suspend(session, lite.vault, one, by=two, at=lite.clock())
        with pytest.raises(BadInput, match="own roles"):
            accounts.set_roles(session, lite.vault, one, [Role.LEAD], by=one, at=lite.clock())


def test_the_table_of_permissions_holds_every_role_and_every_permission() -> None:
    assert set(ALLOWS) == set(Role)
    assert frozenset().union(*ALLOWS.values()) == set(Permission)
    assert ALLOWS[Role.AUDITOR] <= CHANGES_NOTHING
    assert Permission.WORK_CASES not in ALLOWS[Role.ADMIN]
    assert permitted(["no such role"]) == frozenset()
    assert permitted(["agent", "approver"]) == ALLOWS[Role.AGENT] | ALLOWS[Role.APPROVER]


def test_what_needs_two_is_decided_by_another_in_time_and_is_logged(desk: Desk) -> None:
    officer, lead, agent = desk.colleague(Role.PRIVACY_OFFICER), desk.colleague(Role.LEAD), desk.colleague()
    with desk.database.writing() as session:
        with pytest.raises(BadInput, match="role"):
            approvals.ask(session, desk.vault, What.ERASURE, subject="person:1", details={}, by=lead, at=desk.clock())
        made = [
            approvals.ask(
                session, desk.vault, What.ERASURE, subject="person:1", details={"why": "asked"}, by=officer, at=desk.clock()
            ).id
            for _ in range(3)
        ]
    with desk.database.writing() as session:
        for by in (officer, agent):
            with pytest.raises(BadInput):
                approvals.approve(session, desk.vault, made[0], by=by, at=desk.clock())
        approved = approvals.approve(session, desk.vault, made[0], by=lead, at=desk.clock())
        assert approvals.details_of(approved, desk.vault) == {"why": "asked"}
        approvals.refuse(session, desk.vault, made[1], by=officer, at=desk.clock())
        assert [one.id for one in approvals.waiting(session, desk.clock())] == [made[2]]
        late = desk.clock.advance(hours=24)
        with pytest.raises(BadInput, match="time is over"):
            approvals.approve(session, desk.vault, made[2], by=lead, at=late)
        assert approvals.expire(session, desk.vault, late) == 1
        assert approvals.waiting(session, late) == []
        kinds = [row.kind for row in session.query(AuditEntry).filter(AuditEntry.kind.like("approval.%")).order_by(AuditEntry.id)]
    assert kinds == ["approval.asked"] * 3 + ["approval.approved", "approval.refused", "approval.expired"]


def test_whoever_is_alone_is_told_so(lite: Desk) -> None:
    officer = lite.colleague(Role.PRIVACY_OFFICER)
    with lite.database.writing() as session:
        request = approvals.ask(session, lite.vault, What.EXPORT, subject="person:1", details={}, by=officer, at=lite.clock())
        assert "no second person" in approvals.who_can(session, request).words
    lead = lite.colleague(Role.LEAD, on_duty=False)
    with lite.database.reading() as session:
        deciders = approvals.who_can(session, request)
    assert (deciders.on_duty, deciders.others) == ([], [lead])
    assert "Nobody else" in deciders.words


def test_the_terminal_prints_the_first_link_once(
    lite: Desk, keys: Keys, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANDOUR_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("CANDOUR_VAULT_KEYS", keys.vault)
    monkeypatch.setenv("CANDOUR_INDEX_KEYS", keys.index)
    monkeypatch.setenv("CANDOUR_PUBLIC_URL", "https://help.clinic.example")
    terminal = CliRunner()
    arguments = ["staff", "first-admin", "--name", "Ada Wong", "--login", "ada@clinic.example"]
    link = terminal.invoke(app, arguments).stdout.splitlines()[0]
    assert link.startswith(f"https://help.clinic.example{accounts.WELCOME}")
    with lite.database.reading() as session:
        at = system_clock()
        assert accounts.offered(session, lite.vault, link.rpartition("/")[2], at).name == "Ada Wong"
    again = terminal.invoke(app, arguments)
    assert (again.exit_code, "--again" in again.output) == (1, True)
    listed = terminal.invoke(app, ["staff", "list"]).stdout
    assert "admin" in listed
    assert "Ada" not in listed


def test_whoever_asked_must_still_be_allowed_to_when_it_is_agreed(lite: Desk) -> None:
    officer, lead, admin = lite.colleague(Role.PRIVACY_OFFICER), lite.colleague(Role.LEAD), lite.colleague(Role.ADMIN)

    def asked() -> int:
        with lite.database.writing() as session:
            return approvals.ask(
                session, lite.vault, What.ERASURE, subject="person:1", details={}, by=officer, at=lite.clock()
            ).id

    demoted, suspended = asked(), asked()
    with lite.database.writing() as session:
        accounts.set_roles(session, lite.vault, officer, [Role.AGENT], by=admin, at=lite.clock())
    with pytest.raises(BadInput, match="may not ask for it any more"), lite.database.writing() as session:
        approvals.approve(session, lite.vault, demoted, by=lead, at=lite.clock())
    with lite.database.writing() as session:
        accounts.set_roles(session, lite.vault, officer, [Role.PRIVACY_OFFICER], by=admin, at=lite.clock())
        accounts.suspend(session, lite.vault, officer, by=admin, at=lite.clock())
    with pytest.raises(BadInput, match="may not ask for it any more"), lite.database.writing() as session:
        approvals.approve(session, lite.vault, suspended, by=lead, at=lite.clock())
    with lite.database.reading() as session:
        assert len(approvals.waiting(session, lite.clock())) == 2


def test_a_password_costs_what_it_should_where_no_test_makes_it_lighter() -> None:
    program = "from bot.desk.staff import secrecy; print(secrecy.hash_password('an unguessable one'))"
    hashed = subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
