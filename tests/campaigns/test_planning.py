"""Before anything is sent: the dry run, test sends, the texts an approval is bound to, and what a request carries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.campaigns import life, testing
from bot.campaigns.approved import ApprovedTexts
from bot.campaigns.content import template
from bot.campaigns.dryrun import dry_run
from bot.campaigns.models import Variant
from bot.campaigns.plan import Plan
from bot.channels.base import Copy, Mailing, Sent
from bot.channels.email import Email
from bot.conversations.speaking import proposal
from bot.conversations.speaking.publication import Library
from bot.patients.finding import Particulars
from bot.patients.models import Category, Way
from tests.campaigns.house import AUTHOR, Clinic
from tests.people import publish

CHAN = Particulars("P1", "CHAN Tai Man", "陳大文", (Category.IDENTITY,))


def test_a_dry_run_counts_everything_and_sends_and_stores_nothing(clinic: Clinic) -> None:
    clinic.people(30)
    clinic.person(email=None, name="陳大文" * 20), clinic.person(deceased=True)
    for _ in range(3):
        clinic.person(email="family@mail.example")
    clinic.campaign(deadline=clinic.clock() + timedelta(seconds=1), per_second=dict.fromkeys(Way, 1.0))
    report = dry_run(clinic.office(), clinic.now())
    assert report.people == 35
    assert report.first_rung == {"email": 33, "sms": 1}
    assert report.left_to_the_team == {"deceased": 1}
    assert report.shared_addresses == 1
    assert report.shared_people == 3
    assert len(report.samples) == 20
    assert not any("@mail" in one["to"] or "CHAN Tai Man" not in one["text"] for one in report.samples)
    assert report.messages["sms"] == 34
    assert report.segments["sms"] > 34
    assert report.after_deadline
    assert report.most_cost > report.first_cost > 0
    assert clinic.counts() == {}
    assert clinic.email.requests == clinic.sms.requests == []


def test_a_dry_run_names_every_text_that_cannot_be_made(clinic: Clinic) -> None:
    clinic.people(3)
    bad = clinic.person(name="")
    clinic.campaign()
    report = dry_run(clinic.office(), clinic.now())
    assert report.refused > 0
    assert f"person {bad}" in report.refusals[0]


def test_a_test_reaches_the_list_and_nobody_else(clinic: Clinic) -> None:
    clinic.campaign()
    office = replace(clinic.office(), allowed=frozenset({"me@clinic.example"}), is_live=False)
    given: dict[str, Any] = {"channel": Way.EMAIL, "language": Language.EN, "categories": (), "by": AUTHOR}
    with pytest.raises(BadInput):
        testing.send(office, clinic.now(), to="patient@mail.example", **given)
    testing.send(office, clinic.now(), to="me@clinic.example", **given)
    assert clinic.email.got == {"me@clinic.example": 1}


@pytest.fixture
def texts(clinic: Clinic, tmp_path: Path) -> ApprovedTexts:
    """The shipped notices, in a folder that may be changed."""
    import shutil

    publish(clinic.database, proposal.read(REPOSITORY / "data"), clinic.clock())
    shutil.copytree(template.FOLDER, tmp_path / "notices")
    return ApprovedTexts(clinic.database, Library(), tmp_path / "notices", {"first_notice.en": "HX1"})


def test_the_shipped_notice_is_rendered_for_a_segment_and_filled_for_a_person(texts: ApprovedTexts) -> None:
    values = texts.values(CHAN, Language.ZH_HANT, "7K3M9-QT4XV")
    assert values["name"] == "陳大文"
    for way in (Way.EMAIL, Way.SMS, Way.WHATSAPP, Way.LETTER):
        text = texts.render("first_notice", "1.1", way, Language.ZH_HANT, Variant.STANDARD, (Category.IDENTITY,))
        assert len(text.digest) == 64
        assert way is Way.WHATSAPP or "7K3M9-QT4XV" in text.filled(values)
    email = texts.render("first_notice", "1.1", Way.EMAIL, Language.EN, Variant.GUARDIAN, ())
    assert {"CHAN Tai Man", "7K3M9-QT4XV"} <= set(email.substitutions(texts.values(CHAN, Language.EN, "7K3M9-QT4XV")).values())
    neutral = texts.render("first_notice", "1.1", Way.EMAIL, Language.EN, Variant.NEUTRAL, ())
    assert "CHAN" not in neutral.filled(texts.values(CHAN, Language.EN, "7K3M9-QT4XV"))


@pytest.mark.parametrize("version", ["1", "1.99", "0.1", "x", "1.1.1"])
def test_a_version_that_names_no_approved_facts_is_refused(texts: ApprovedTexts, version: str) -> None:
    with pytest.raises(BadInput):
        texts.digest("first_notice", version)


def test_a_template_changed_after_submission_changes_nothing_that_runs(clinic: Clinic, texts: ApprovedTexts) -> None:
    clinic.person()
    office = replace(clinic.office(), texts=texts)
    with clinic.database.writing() as session:
        life.new(
            session, clinic.vault, name="first", notice="first_notice", version="1.1", plan=Plan(), by=AUTHOR, at=clinic.clock()
        )
    life.submit(office, "first", by=AUTHOR)
    before = texts.digest("first_notice", "1.1")
    path = texts.folder / "first_notice" / "en" / "sms.txt"
    path.write_text(path.read_text(encoding="utf-8") + "Forged.\n", encoding="utf-8")
    assert texts.digest("first_notice", "1.1") == before
    life.approve(office, "first", by="Lee, approver")


class Calls:
    """Stands where the library's client does."""

    def __init__(self) -> None:
        self.mails: list[dict[str, Any]] = []

    def send(self, mail: dict[str, Any]) -> Sent:
        self.mails.append(mail)
        return Sent("id")


def test_a_request_carries_opaque_ids_no_tracking_and_each_persons_own_values() -> None:
    channel, calls = Email("key", "", "", ("care@clinic.example",)), Calls()
    channel.__dict__["_calls"] = calls
    values: Mapping[str, str] = {"-a.name.h-": "A &amp; B", "-a.name.t-": "A & B"}
    copies = (Copy("one@mail.example", "n.one", values), Copy("two@mail.example", "n.two", {}))
    channel.send_many(Mailing("care@clinic.example", "A notice", "text", "<p>html</p>", copies))
    [mail] = calls.mails
    assert [one["custom_args"] for one in mail["personalizations"]] == [{"candour": "n.one"}, {"candour": "n.two"}]
    assert mail["personalizations"][0]["substitutions"] == values
    assert mail["tracking_settings"]["open_tracking"] == {"enable": False}
    assert mail["tracking_settings"]["click_tracking"]["enable"] is False
    assert "categories" not in mail


def test_a_dry_run_refuses_whatsapp_without_an_approved_text_once_for_each_language(clinic: Clinic) -> None:
    clinic.people(4), clinic.people(3, language="zh-Hant")
    clinic.campaign(ladder=(Way.WHATSAPP, Way.SMS))
    real = replace(clinic.office(), reaches_patients=True)
    assert dry_run(real, clinic.now()).refused == 0
    clinic.texts.content_id = ""
    report = dry_run(real, clinic.now())
    assert report.refused == 2
    assert "CANDOUR_WHATSAPP_NOTICES" in report.refusals[0]
    assert dry_run(clinic.office(), clinic.now()).refused == 0  # over the simulator the rung is left out
