"""Evidence in the console: the privacy officer fetches it, nobody else does, and that it was fetched is in the log."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable

import pytest
from pydantic import SecretStr
from sqlalchemy import select

from bot.assembly import Application
from bot.base.audit import AuditEntry, content_of
from bot.base.settings import Settings
from bot.campaigns import life
from bot.campaigns.plan import Plan
from bot.conversations.speaking.publication import Library
from bot.desk.staff.roles import Role
from bot.patients.models import Way
from bot.regulators import filings
from tests.campaigns.house import AUTHOR, Clinic
from tests.conftest import Keys
from tests.content import texts
from tests.desk.conftest import Desk
from tests.people import publish
from tests.web.console.conftest import Colleague

Make = Callable[..., Colleague]
PAGE = "/desk/evidence"


@pytest.fixture
def settings(settings: Settings, keys: Keys) -> Settings:
    """With the key of the seal."""
    return settings.model_copy(update={"audit_keys": SecretStr(keys.audit)})


@pytest.fixture
def campaign(desk: Desk, application: Application) -> int:
    """One that was submitted, with every fact known; its number."""
    version = f"1.{publish(desk.database, texts.with_all_facts(), desk.clock())}"
    clinic = Clinic(desk.database, desk.vault, desk.index, desk.clock)
    clinic.people(3)
    with desk.database.writing() as session:
        life.new(session, desk.vault, name="first <b>", notice="first_notice", version=version,
                 plan=Plan(ladder=(Way.LETTER,), waves=()), by=AUTHOR, at=desk.clock())  # fmt: skip
    office = clinic.office()
    return life.submit(office, "first <b>", by=AUTHOR).id


@pytest.mark.parametrize("role", [Role.AGENT, Role.LEAD, Role.APPROVER, Role.AUDITOR, Role.ADMIN])
def test_nobody_else_gets_in(campaign: int, colleague: Make, role: Role) -> None:
    other = colleague(role)
    assert other.get(PAGE).status_code == 403
    assert other.post(f"{PAGE}/{campaign}/fetch").status_code == 403
    assert other.get(f"{PAGE}/documents/1.pdf").status_code == 403


def test_the_privacy_officer_fetches_a_folder_that_stands_its_own_check(campaign: int, desk: Desk, colleague: Make) -> None:
    officer = colleague(Role.PRIVACY_OFFICER)
    shown = officer.get(PAGE).text
    assert "first &lt;b&gt;" in shown
    got = officer.post(f"{PAGE}/{campaign}/fetch")
    assert (got.status_code, got.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(got.content)) as packed:
        assert packed.testzip() is None
        files = {name.partition("/")[2]: packed.read(name) for name in packed.namelist()}
    sums = dict(reversed(line.split("  ")) for line in files.pop("SHA256SUMS").decode().splitlines())
    assert {name: hashlib.sha256(content).hexdigest() for name, content in files.items()} == sums
    assert files["summary.pdf"].startswith(b"%PDF")
    with desk.database.reading() as session:
        [entry] = session.scalars(select(AuditEntry).where(AuditEntry.kind == "campaign.evidence_exported")).all()
        assert entry.actor == f"staff:{officer.id}"
        assert (content_of(entry, desk.vault) or {})["files"] == len(files)


def test_twice_is_the_same_file(campaign: int, colleague: Make) -> None:
    officer = colleague(Role.PRIVACY_OFFICER)
    assert officer.post(f"{PAGE}/{campaign}/fetch").content == officer.post(f"{PAGE}/{campaign}/fetch").content


def test_a_campaign_that_does_not_exist_is_refused(campaign: int, colleague: Make) -> None:
    answer = colleague(Role.PRIVACY_OFFICER).post(f"{PAGE}/999/fetch", via=PAGE)
    assert answer.headers["content-type"].startswith("text/html")


def test_what_the_authorities_are_owed_is_shown_with_its_documents(campaign: int, desk: Desk, colleague: Make) -> None:
    with desk.database.writing() as session:
        filing = filings.draft(session, desk.vault, Library(), "police", by=AUTHOR, at=desk.clock())
    officer = colleague(Role.PRIVACY_OFFICER)
    shown = officer.get(PAGE).text
    assert "Office of the Privacy Commissioner" in shown
    assert "draft, waits for another person" in shown
    assert officer.get(f"{PAGE}/documents/{filing.id}.pdf").content.startswith(b"%PDF")
    assert officer.get(f"{PAGE}/documents/999.pdf").status_code in (404, 422)
