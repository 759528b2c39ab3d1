"""The log in the console: everything can be read by those who may, nothing can be changed, and the seal can be checked."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from bot.assembly import Application
from bot.base import audit
from bot.base.audit import AuditEntry
from bot.base.settings import Settings
from bot.desk.staff.roles import Role
from tests.conftest import Keys
from tests.desk.conftest import Desk
from tests.web.console.conftest import Colleague

Make = Callable[..., Colleague]
PAGE = "/desk/log"


@pytest.fixture
def settings(settings: Settings, keys: Keys) -> Settings:
    """With the key of the seal."""
    return settings.model_copy(update={"audit_keys": SecretStr(keys.audit)})


def note(desk: Desk, kind: str, subject: str = "thread:1", **content: object) -> None:
    with desk.database.writing() as session:
        audit.record(session, at=desk.clock(), actor="operator", kind=kind, subject=subject, content=content, vault=desk.vault)


def seal(desk: Desk, keys: Keys) -> None:
    audit.seal(desk.database, keys.audit, desk.clock())


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.LEAD, Role.PRIVACY_OFFICER, Role.ADMIN])
def test_those_who_may_read_it(desk: Desk, colleague: Make, role: Role) -> None:
    note(desk, "test.happened", what="<b>bold</b>")
    shown = colleague(role).get(PAGE).text
    assert "test.happened" in shown
    assert "<b>bold" not in shown
    assert "&lt;b&gt;bold" in shown


@pytest.mark.parametrize("role", [Role.AGENT, Role.APPROVER])
def test_others_do_not(colleague: Make, role: Role) -> None:
    other = colleague(role)
    assert other.get(PAGE).status_code == 403
    assert other.post(f"{PAGE}/verify").status_code == 403
    assert other.post(f"{PAGE}/export").status_code == 403


def test_it_is_filtered_by_who_what_and_about(desk: Desk, colleague: Make) -> None:
    note(desk, "case.claimed", "thread:7")
    note(desk, "case.resolved", "thread:8")
    note(desk, "caseless.thing", "thread:7")
    auditor = colleague(Role.AUDITOR)
    rows = auditor.get(f"{PAGE}?actor=operator&kind=case.&subject=thread:7").text.split("<tbody>")[1]
    assert "case.claimed" in rows
    assert "case.resolved" not in rows
    assert "caseless.thing" not in rows
    assert "Nothing matches." in auditor.get(f"{PAGE}?kind=%25").text
    assert "case.claimed" in auditor.get(f"{PAGE}?since=2023-05-09&until=2023-05-09").text
    assert "Nothing matches." in auditor.get(f"{PAGE}?until=2023-05-08").text


@pytest.mark.parametrize("query", ["since=never", "before=x", "before=99999999999999999999", "until=9999-12-31", "since=-1"])
def test_what_is_no_filter_breaks_nothing(colleague: Make, query: str) -> None:
    assert colleague(Role.AUDITOR).get(f"{PAGE}?{query}").status_code == 200


def test_older_entries_follow_on_the_next_page(desk: Desk, colleague: Make) -> None:
    for number in range(120):
        note(desk, f"test.n{number:03d}", "thread:9")
    auditor = colleague(Role.AUDITOR)
    first = auditor.get(f"{PAGE}?subject=thread:9").text
    assert "test.n119" in first
    assert "test.n019" not in first
    link = first.split('class="pager"><a href="')[1].split('"')[0].replace("&amp;", "&")
    assert "test.n019" in auditor.get(link).text


def test_the_seal_is_checked_and_a_change_shows(desk: Desk, colleague: Make, keys: Keys, application: Application) -> None:
    note(desk, "test.happened")
    seal(desk, keys)
    auditor = colleague(Role.AUDITOR)
    assert "The seal holds." in auditor.post(f"{PAGE}/verify", via=PAGE).text
    with application.database.writing() as session:
        session.execute(update(AuditEntry).where(AuditEntry.kind == "test.happened").values(actor="nobody"))
    assert "The seal is broken." in auditor.post(f"{PAGE}/verify", via=PAGE).text


def test_the_export_is_a_table_without_formulas_and_is_itself_in_the_log(desk: Desk, colleague: Make) -> None:
    note(desk, "test.happened", "=cmd()")
    answer = colleague(Role.AUDITOR).post(f"{PAGE}/export", via=PAGE, kind="test.")
    assert answer.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["kind"], row["subject"], row["actor"]) for row in rows] == [("test.happened", "'=cmd()", "operator")]
    with desk.database.reading() as session:
        assert session.scalars(select(AuditEntry.kind).order_by(AuditEntry.id.desc())).first() == "log.exported"


def test_no_route_changes_or_removes_an_entry(colleague: Make) -> None:
    auditor = colleague(Role.AUDITOR)
    token = auditor.token(PAGE)
    for method in ("PUT", "PATCH", "DELETE"):
        assert auditor.client.request(method, PAGE, data={"csrf": token}).status_code == 405
