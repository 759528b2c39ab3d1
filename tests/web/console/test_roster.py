"""The roster in the console: judged and masked, applied with the code of what was shown alone, and for whom it is not."""

from __future__ import annotations

import ast
import csv
import io
import re
import socket
from collections.abc import Callable, Iterator

import httpx
import pytest
from sqlalchemy import func, select

from bot.base.audit import AuditEntry
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.campaigns.planning import versions
from bot.desk.staff.roles import Role
from bot.patients.models import Person, RosterImport
from bot.patients.roster import decoding, onfile
from bot.patients.roster.imports import clinics_on_file
from bot.patients.roster.sheet import SEPARATORS
from bot.web.console.pages import roster
from bot.web.console.words import all_words, answer
from bot.web.limits import BODY_LIMIT, ROSTER_LIMIT, body_limit
from tests.desk.conftest import Desk
from tests.web.console.conftest import Colleague

Make = Callable[..., Colleague]
HAN = re.compile(r"[\u4e00-\u9fff]")
PLACES = {"Problem": 3, "_wrong": 2, "Refused": 0, "Unusable": 1}
"""Where the reason stands among the arguments of what says one."""
ROWS = (
    "patient key,name,e-mail,affected categories,clinic\n"
    "P1,CHAN Tai Man,tai.man@mail.example,identity,Central\n"
    "P2,LEE Siu Ling,siu.ling@mail.example,medical,Sha Tin\n"
)


def sent(one: Colleague, content: str, query: str = "") -> httpx.Response:
    """What the page's script sends."""
    headers = {"x-csrf": one.token(), "content-type": "text/csv"}
    return one.client.post(f"/desk/roster/judge?{query}", content=content.encode(), headers=headers)


def on_file(desk: Desk) -> int:
    with desk.database.reading() as session:
        return session.scalar(select(func.count()).select_from(Person)) or 0


def code(shown: str) -> str:
    found = re.search(r'data-code="(\w+)"', shown)
    assert found
    return found[1]


def test_a_file_is_shown_masked_and_stored_only_with_the_code_of_what_was_shown(desk: Desk, colleague: Make) -> None:
    officer = colleague(Role.PRIVACY_OFFICER)
    shown = sent(officer, ROWS).text
    assert "T•• M••" in shown
    assert "tai.man" not in shown
    assert "Central: 1" in shown
    given = code(shown)
    for content, query in ((ROWS, "code=00000000"), (ROWS.replace("Central", "Peak"), f"code={given}"), (ROWS, "")):
        sent(officer, content, query)
    assert on_file(desk) == 0
    assert "Applied as import 1." in sent(officer, ROWS, f"code={given}").text
    assert on_file(desk) == 2
    with desk.database.reading() as session:
        assert session.scalars(select(RosterImport)).one().by == f"staff:{officer.id}"
        logged = session.scalars(select(AuditEntry).where(AuditEntry.kind.startswith("roster.")).order_by(AuditEntry.id)).all()
        assert [(one.kind, one.actor) for one in logged] == [
            ("roster.begun", f"staff:{officer.id}"), ("roster.imported", f"staff:{officer.id}"),
        ]  # fmt: skip
        assert clinics_on_file(session) == {"Central": 1, "Sha Tin": 1}
        assert versions.next_number(session) == 1
    assert 'value="Sha Tin"' in officer.get("/desk/campaigns/new").text


def test_what_is_wrong_is_named_by_its_shape_and_nothing_is_stored(desk: Desk, colleague: Make) -> None:
    officer = colleague(Role.PRIVACY_OFFICER)
    bad = ROWS + "=cmd|x,<script>alert(1)</script>,a@mail.example,identity,<b>\n"
    answer = sent(officer, bad)
    assert "The file has to be mended first" in answer.text
    assert "<script>alert" not in answer.text
    assert "data-code" not in answer.text
    report = sent(officer, bad, "report=1")
    assert report.headers["content-type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(report.content.decode("utf-8-sig"))))
    assert {"4"} == {row[0] for row in rows[1:]}
    for content in ("", "no,columns\n1,2\n"):
        assert sent(officer, content).status_code == 422
    assert on_file(desk) == 0


def reasons() -> Iterator[str]:
    """Every reason for which a value, a row or a file is refused, left out or looked at, with {} for what is filled in."""
    for path in (REPOSITORY / "bot" / "patients" / "roster").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                place = PLACES.get(getattr(node.func, "id", getattr(node.func, "attr", "")))
                yield from said(node.args[place]) if place is not None else ()
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in ("reason", "_NO_HEALTH"):
                yield from said(node.value)
            elif isinstance(node, ast.FunctionDef) and node.name in ("forbidden", "_document"):
                yield from (text for each in ast.walk(node) if isinstance(each, ast.Return) for text in said(each.value))


def said(node: ast.expr | None) -> Iterator[str]:
    """The sentences that an expression can be."""
    if isinstance(node, ast.IfExp):
        yield from (*said(node.body), *said(node.orelse))
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "7" for part in node.values)
    elif isinstance(node, ast.Constant) and node.value:
        yield str(node.value)


def test_every_reason_is_said_in_chinese_too() -> None:
    found = set(reasons())
    assert len(found) > 40
    # One key alone, and a reason that is counted over many rows.
    forms = {re.sub(r"^7 keys are", "1 key is", one) for one in found} | {one.replace("row 7", "row …") for one in found}
    assert sorted(one for one in found | forms if not HAN.search(answer(Language.ZH_HANT, one))) == []
    assert all(answer(Language.EN, one) == one for one in found | forms)


def test_a_chinese_page_says_what_is_wrong_in_chinese(desk: Desk, colleague: Make) -> None:
    officer = colleague(Role.PRIVACY_OFFICER)
    officer.post("/desk/language", language="zh-Hant")
    shown = sent(officer, ROWS + "P1,=1+1,nobody,identity,\nP3,WONG,nobody,identity,\n").text
    for words in ("公式", "不是電郵地址", "逗號", "略去"):
        assert words in shown
    assert "nor one" not in shown
    assert "formula" not in shown
    assert "欠缺" in sent(officer, "no,columns\n1,2\n").text


def test_whatever_differs_has_a_word(desk: Desk, colleague: Make) -> None:
    kinds = {*onfile._PARTS, *onfile._CONTACT_KINDS, "index key", "language", "flags", "back again", "safe contact"}
    wanted = {f"roster.differs_{re.sub('[ -]', '_', kind)}" for kind in kinds}
    wanted |= {f"roster.separator_{name}" for name in SEPARATORS.values()}
    wanted |= {f"roster.encoding_{name.replace('-', '_')}" for name in decoding._NAMES}
    assert sorted(wanted - set(all_words())) == []
    officer = colleague(Role.PRIVACY_OFFICER)
    sent(officer, ROWS, f"code={code(sent(officer, ROWS).text)}")
    assert "name: 1" in sent(officer, ROWS.replace("LEE", "LI")).text


def test_a_file_that_is_too_large_is_not_read_to_its_end(desk: Desk, colleague: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    officer = colleague(Role.PRIVACY_OFFICER)
    assert body_limit("/desk/roster/judge") == ROSTER_LIMIT
    assert body_limit("/desk/campaigns/new") < ROSTER_LIMIT
    monkeypatch.setattr(roster, "ROSTER_LIMIT", 100)
    answer = sent(officer, ROWS)
    assert answer.status_code == 422
    assert "this is no roster" in answer.text
    assert on_file(desk) == 0


def test_only_a_privacy_officer_brings_a_roster_in(desk: Desk, colleague: Make) -> None:
    for role in (Role.LEAD, Role.AGENT, Role.APPROVER, Role.AUDITOR, Role.ADMIN):
        one = colleague(role)
        assert one.get("/desk/roster").status_code == 403
        assert sent(one, ROWS).status_code == 403
    assert on_file(desk) == 0


def answered_before_the_body(at: str, cookie: str, token: str, kind: str) -> int:
    """The status that comes back when a body of 50 MB is announced and none of it is sent."""
    host = httpx.URL(at)
    lines = (
        *("POST /desk/roster/judge HTTP/1.1", f"Host: {host.host}:{host.port}", f"Content-Type: {kind}"),
        *("Content-Length: 50000000", f"Cookie: {cookie}", f"X-Csrf: {token}", "", ""),
    )
    with socket.create_connection((host.host, host.port or 80), timeout=20) as line:
        line.sendall("\r\n".join(lines).encode())
        return int(line.makefile("rb").readline().split()[1])


@pytest.mark.parametrize("kind", ["text/csv", "application/x-www-form-urlencoded"])
def test_nothing_of_a_roster_is_read_before_its_sender_is_known(console: str, colleague: Make, kind: str) -> None:
    def cookie(one: Colleague) -> str:
        return "; ".join(f"{held.name}={held.value}" for held in one.client.cookies.jar)

    agent, officer = colleague(Role.AGENT), colleague(Role.PRIVACY_OFFICER)
    assert answered_before_the_body(console, "", "", kind) == 303, "a stranger is sent to the sign-in"
    assert answered_before_the_body(console, cookie(agent), agent.token(), kind) == 403, "without the right"
    assert answered_before_the_body(console, cookie(officer), "x" * 43, kind) == 403, "with a foreign token"
    assert answered_before_the_body(console, cookie(officer), "", kind) == 403, "a token in the body is not looked for"


def test_a_roster_may_be_longer_than_any_form(colleague: Make) -> None:
    many = ROWS + "".join(f"K{number},CHAN Tai Man,k{number}@mail.example,identity,Central\n" for number in range(20_000))
    assert len(many) > BODY_LIMIT
    shown = sent(colleague(Role.PRIVACY_OFFICER), many)
    assert shown.status_code == 200
    assert code(shown.text)


def test_the_report_is_in_the_language_of_the_page(colleague: Make) -> None:
    officer = colleague(Role.PRIVACY_OFFICER)
    officer.post("/desk/language", language="zh-Hant")
    report = sent(officer, ROWS + "P3,LEE,not an address,identity,Central\n", "report=1").content.decode("utf-8-sig")
    heads, *rows = csv.reader(io.StringIO(report))
    assert heads == ["行", "欄", "數值（已遮蓋）", "問題", "結果"]
    assert rows
    assert all(HAN.search(row[3]) and HAN.search(row[4]) for row in rows)
