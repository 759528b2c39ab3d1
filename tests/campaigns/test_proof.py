"""The evidence of a campaign: what is in it, that it is the same twice, and what a stranger finds out."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select, text, update

from bot.base.errors import BadInput
from bot.campaigns import events, hands, ladder, life
from bot.campaigns.models import Notice, NoticeStatus, Obligation, ObligationStatus
from bot.campaigns.proof import bundle, checking, summary
from bot.campaigns.proof.received import received
from bot.campaigns.sending import claiming
from bot.campaigns.sending.press import Press
from bot.channels.base import DeliveryEvent, Outcome
from bot.patients import disclosure
from bot.patients.models import Person, Way
from tests.campaigns.house import AUTHOR, Clinic
from tests.conftest import Keys


@pytest.fixture
def told(clinic: Clinic) -> Clinic:
    """A campaign that was sent to twelve people, of whom one has no contact at all."""
    clinic.people(12, language="en")
    clinic.person(email=None, mobile=None, post=None)
    clinic.running(ladder=(Way.EMAIL,))
    clinic.works()
    return clinic


def export(clinic: Clinic, keys: Keys, folder: Path) -> bundle.Made:
    return bundle.export(clinic.office(), "first", folder, keys=keys.audit, heads=None, by=AUTHOR)


def check(clinic: Clinic, keys: Keys, folder: Path) -> checking.Findings:
    return checking.check(folder, keys=keys.audit, database=clinic.database, vault=clinic.vault)


def test_the_folder_holds_all_of_it_and_stands_every_check(told: Clinic, keys: Keys, tmp_path: Path) -> None:
    made = export(told, keys, tmp_path / "one")
    assert made.agrees
    names = {path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*") if path.is_file()}
    assert {"summary.pdf", "people.csv", "notices.csv", "totals.csv", "plan.json", "log.jsonl", "manifest.json"} <= names
    assert subprocess.run(["sha256sum", "-c", "--quiet", "--strict", "SHA256SUMS"], cwd=made.folder, check=False).returncode == 0
    found = check(told, keys, made.folder)
    assert (found.wrong, found.sealed) == ([], found.entries)
    assert found.entries >= 12 + 4
    assert {path.stat().st_mode & 0o777 for path in made.folder.rglob("*") if path.is_file()} == {0o600}


def test_the_file_of_a_text_has_the_digest_that_the_notices_name(told: Clinic, keys: Keys, tmp_path: Path) -> None:
    export(told, keys, tmp_path / "one")
    [digest] = {one.text_digest for one in told.notices(status=NoticeStatus.ACCEPTED.value)}
    said = subprocess.run(["sha256sum", f"texts/{digest}.json"], cwd=tmp_path / "one", capture_output=True, text=True, check=True)
    assert said.stdout.split()[0] == digest


def test_the_same_data_makes_the_same_folder(told: Clinic, keys: Keys, tmp_path: Path) -> None:
    first = export(told, keys, tmp_path / "one")
    told.clock.advance(days=3)
    assert export(told, keys, tmp_path / "two").digest == first.digest
    with told.database.writing() as session:
        life.pause(session, told.vault, life.named(session, "first", lock=True), by=AUTHOR, why="look", at=told.clock())
    assert export(told, keys, tmp_path / "three").digest != first.digest


def test_no_address_and_no_name_is_in_any_file(told: Clinic, keys: Keys, tmp_path: Path) -> None:
    export(told, keys, tmp_path / "one")
    addresses = [address for request in told.email.requests for address in request]
    for path in (tmp_path / "one").rglob("*"):
        content = path.read_bytes().decode("utf-8", "replace") if path.is_file() else ""
        assert not [one for one in (*addresses, "CHAN", "1 Road") if one in content], path.name


def test_a_cell_that_would_be_computed_is_not(told: Clinic, keys: Keys, tmp_path: Path) -> None:
    with told.database.writing() as session:
        session.execute(text("UPDATE notices SET reason = '=HYPERLINK(1)' WHERE id = (SELECT min(id) FROM notices)"))
    export(told, keys, tmp_path / "one")
    assert ",'=HYPERLINK(1)," in (tmp_path / "one" / "notices.csv").read_text()


def test_what_the_tables_hide_from_the_log_is_told(told: Clinic, keys: Keys, tmp_path: Path) -> None:
    with told.database.writing() as session:
        session.execute(text("UPDATE notices SET text_digest = 'other' WHERE id = (SELECT min(id) FROM notices)"))
    made = export(told, keys, tmp_path / "one")
    assert not made.agrees
    manifest = json.loads((made.folder / "manifest.json").read_text())
    assert manifest["agreement"]["notices_with_other_text"] == 1
    assert manifest["agreement"]["texts_not_made_again"] == 1


@pytest.mark.parametrize(
    ("name", "change", "finding"),
    [
        ("people.csv", lambda old: old.replace(b"manual", b"closed"), "people.csv was changed"),
        ("extra.csv", lambda _: b"x", "extra.csv is not in the list"),
        ("totals.csv", lambda _: None, "totals.csv is missing"),
    ],
)
def test_a_changed_added_or_removed_file_shows(
    told: Clinic, keys: Keys, tmp_path: Path, name: str, change: object, finding: str
) -> None:
    made = export(told, keys, tmp_path / "one")
    path = made.folder / name
    new = change(path.read_bytes() if path.exists() else b"")  # type: ignore[operator]
    path.unlink() if new is None else path.write_bytes(new)
    assert any(finding in one for one in check(told, keys, made.folder).wrong)


def test_who_computes_the_digests_anew_is_found_out_by_our_log_and_by_the_seal(told: Clinic, keys: Keys, tmp_path: Path) -> None:
    made = export(told, keys, tmp_path / "one")
    path = made.folder / "log.jsonl"
    lines = path.read_text().splitlines()
    forged = json.loads(lines[2])
    forged["actor"] = "somebody else"
    path.write_text("\n".join([*lines[:2], json.dumps(forged), *lines[3:]]) + "\n")
    sums = subprocess.run("sha256sum $(find . -type f ! -name SHA256SUMS | sed 's|^./||' | LC_ALL=C sort)", shell=True,
                          cwd=made.folder, capture_output=True, text=True, check=True)  # fmt: skip
    (made.folder / "SHA256SUMS").write_text(sums.stdout)
    assert checking.check(made.folder).ok  # digests alone cannot know
    wrong = check(told, keys, made.folder).wrong
    assert any(f"entry {forged['sequence']} (line 3" in one and "seal" in one for one in wrong)
    assert any("knows nothing of this folder" in one for one in wrong)


def test_what_an_entry_says_cannot_be_changed_even_without_the_key(told: Clinic, keys: Keys, tmp_path: Path) -> None:
    made = export(told, keys, tmp_path / "one")
    path = made.folder / "log.jsonl"
    path.write_text(path.read_text().replace("first-notice", "other-notice", 1))
    assert any("what it says was changed" in one for one in checking.check(made.folder).wrong)


def test_a_log_whose_end_was_cut_off_after_the_export_shows(told: Clinic, keys: Keys, tmp_path: Path) -> None:
    made = export(told, keys, tmp_path / "one")
    with told.database.writing() as session:
        session.execute(text("DELETE FROM audit WHERE sequence > 5 OR sequence IS NULL"))
    assert any("cut off" in one for one in check(told, keys, made.folder).wrong)


def test_a_folder_with_something_in_it_is_not_written_into(told: Clinic, keys: Keys, tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "mine.txt").write_text("mine")
    with pytest.raises(BadInput, match="not empty"):
        export(told, keys, tmp_path / "one")


def test_what_people_did_by_hand_is_in_it(told: Clinic, keys: Keys, tmp_path: Path) -> None:
    with told.database.writing() as session:
        campaign = life.named(session, "first", lock=True)
        hands.substitute(session, told.vault, campaign, where="the front page", digest="a" * 64, by=AUTHOR, at=told.clock())
    made = export(told, keys, tmp_path / "one")
    kinds = {json.loads(line)["kind"] for line in (made.folder / "log.jsonl").read_text().splitlines()}
    assert {"campaign.created", "campaign.submitted", "campaign.approved", "campaign.started", "notice.accepted"} <= kinds
    assert "campaign.public_notice" in kinds
    shutil.rmtree(made.folder)


def test_what_one_person_was_sent_is_told_in_the_words_it_was_sent_in(told: Clinic) -> None:
    [notice, *_] = told.notices(status=NoticeStatus.ACCEPTED.value)
    with told.database.reading() as session:
        [found] = received(session, told.office(), notice.person_id)
        other = next(one.id for one in session.query(Person) if one.id not in {each.person_id for each in told.notices()})
        assert received(session, told.office(), other) == []
    assert (found.way, found.language, found.sent_at, found.is_as_sent) == ("email", "en", notice.submitted_at, True)
    assert found.text.strip()
    told.texts.edition = "second"
    with told.database.reading() as session:
        [later] = received(session, told.office(), notice.person_id)
    assert later.notice == found.notice
    assert later.is_as_sent == (later.text == found.text)


def test_what_a_dead_worker_left_in_doubt_is_in_it_too(clinic: Clinic, keys: Keys, tmp_path: Path) -> None:
    clinic.people(2)
    clinic.running(ladder=(Way.EMAIL,))
    with clinic.database.writing() as session:
        campaign = life.named(session, "first", lock=True)
        ladder.look(session, clinic.office(), campaign.id, clinic.clock())
        ladder.advance(session, clinic.office(), campaign, clinic.clock())
    with clinic.database.writing() as session:
        press = Press(clinic.office())
        assert len(claiming.claim(session, clinic.office(), press, campaign.id, Way.EMAIL, 10, clinic.clock())) == 2
    clinic.clock.advance(hours=1)
    clinic.works()
    assert clinic.counts(Notice) == {"unknown": 2}
    clinic.clock.advance(minutes=5)
    made = export(clinic, keys, tmp_path / "one")
    assert made.agrees
    kinds = [json.loads(line)["kind"] for line in (made.folder / "log.jsonl").read_text().splitlines()]
    assert kinds.count("notice.unknown") == 2


@pytest.mark.parametrize("line", ["", "{}", "[]", "null", "not json", '{"sequence": "x"}', '{"sequence": 1, "at": 5}'])
def test_a_line_that_is_none_is_told_and_does_not_end_the_check(told: Clinic, keys: Keys, tmp_path: Path, line: str) -> None:
    made = export(told, keys, tmp_path / "one")
    with (made.folder / "log.jsonl").open("a") as file:
        file.write(line + "\n")
    wrong = check(told, keys, made.folder).wrong
    assert any("log.jsonl was changed" in one for one in wrong)
    assert any("cannot be read" in one for one in wrong)


def test_the_end_of_everybodys_ladder_stands_in_the_log(clinic: Clinic, keys: Keys, tmp_path: Path) -> None:
    told_late, exhausted, alone, closed = (clinic.person(post=None), clinic.person(post=None), clinic.person(), clinic.person())
    clinic.person(email=None, mobile=None, post=None)
    clinic.running(ladder=(Way.EMAIL, Way.SMS))
    with clinic.database.writing() as session:
        disclosure.wish(session, exhausted, stopped=True, at=clinic.clock())
        session.get_one(Person, alone).deceased = True
        disclosure.wish(session, told_late, stopped=True, at=clinic.clock())
    clinic.works()
    with clinic.database.writing() as session:
        withheld = session.scalars(select(Notice).where(Notice.person_id == told_late).order_by(Notice.id)).first()
        assert withheld is not None
        event = DeliveryEvent(withheld.reference, "", Outcome.DELIVERED)
        events.apply(session, clinic.office(), event, withheld.channel, clinic.clock())
        owed = session.scalars(select(Obligation).where(Obligation.person_id == closed)).one()
        if owed.status == "open":
            hands.close(session, clinic.vault, clinic.now(), owed.id, why="told in person", by=AUTHOR, at=clinic.clock())
        public = {"where": "the website", "digest": "0" * 64, "by": AUTHOR, "at": clinic.clock()}
        assert hands.substitute(session, clinic.vault, clinic.now(), **public) == 3
    clinic.works()
    assert clinic.now().status == "completed"
    assert clinic.counts() == {"delivered": 1, "closed": 1, "substitute": 3}
    made = export(clinic, keys, tmp_path / "one")
    entries = [json.loads(line) for line in (made.folder / "log.jsonl").read_text().splitlines()]
    kinds = Counter(entry["kind"] for entry in entries)
    assert (kinds["notice.withheld"], kinds["obligation.manual"], kinds["obligation.substitute"]) == (
        5,
        4,
        3,
    )  # of the four one was told late
    assert (kinds["obligation.delivered"], kinds["obligation.closed"]) == (1, 1)
    assert made.agrees


def test_a_state_that_no_entry_attests_is_told(told: Clinic, keys: Keys, tmp_path: Path) -> None:
    told.clock.advance(hours=1)
    with told.database.writing() as session:
        session.execute(update(Obligation).where(Obligation.status == "open").values(status="delivered", settled_at=told.clock()))
    told.clock.advance(hours=1)
    made = export(told, keys, tmp_path / "one")
    assert not made.agrees
    assert json.loads((made.folder / "manifest.json").read_text())["agreement"]["people_not_in_log"] == 12


def test_the_summary_says_what_each_state_of_a_person_means() -> None:
    assert set(summary.MEANS) == {state.value for state in ObligationStatus}
