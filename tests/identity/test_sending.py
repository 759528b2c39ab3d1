"""What checks lay down is sent by the code room, once, wiped afterwards, and leaves nothing readable anywhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot.assembly import Application
from bot.base.audit import AuditEntry
from bot.base.errors import AccountFailure, ChannelError, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bot.base.settings import Settings
from bot.channels.base import Outgoing, Sent
from bot.coderoom import CodeRoom, deliver
from bot.identity import dispatches
from bot.identity.models import Check, CodeDispatch, DispatchKind, DispatchStatus
from bot.patients.models import ContactPoint, Retirement
from bot.patients.references import new_reference
from tests.identity.conftest import PATIENTS, House
from tests.people import make_application


class Post:
    """A provider that takes everything, or fails as it is told to."""

    def __init__(self) -> None:
        self.taken: list[Outgoing] = []
        self.fails: list[ChannelError] = []

    def send(self, outgoing: Outgoing) -> Sent:
        if self.fails:
            raise self.fails.pop(0)
        self.taken.append(outgoing)
        return Sent(f"id-{len(self.taken)}")


@pytest.fixture
def post() -> Post:
    return Post()


@pytest.fixture
def application(house: House, post: Post, tmp_path: Path) -> Application:
    """The application around the clinic's database, whose providers are a stand-in."""
    settings = Settings(_env_file=None, home=tmp_path, sms_numbers="+85264500001", email_addresses="care@example.com")
    made = make_application(settings, house.database, house.vault, house.index, house.clock, house.engine)
    channels: Mapping[str, Any] = {"sms": post, "email": post}
    object.__setattr__(made, "channels", channels)
    return made


def works_off(application: Application) -> list[DispatchStatus]:
    """One round of the code room, without its threads."""
    with application.database.writing() as session:
        now = application.clock()
        dispatches.bury(session, application.vault, now)
        jobs = dispatches.take(session, application.vault, limit=10, at=now)
    return [deliver(application, job) for job in jobs]


def test_the_code_goes_to_the_contact_on_file_and_is_wiped(house: House, application: Application, post: Post) -> None:
    house.patient().asks_for_code(house.references["P001"])
    code = house.code()
    assert works_off(application) == [DispatchStatus.SENT]
    [sent] = post.taken
    assert (sent.their.removeprefix("+"), sent.own) == ("85291234567", "+85264500001")
    assert code in sent.text
    assert "10" in sent.text
    [row] = house.rows(CodeDispatch)
    assert (row.sealed_code, row.provider_id) == (None, "id-1")
    assert works_off(application) == []


def test_a_row_for_nobody_is_worked_off_without_a_send(house: House, application: Application, post: Post) -> None:
    house.patient().asks_for_code(new_reference())
    assert works_off(application) == []
    [row] = house.rows(CodeDispatch)
    assert (row.status, row.sealed_code, post.taken) == (DispatchStatus.WITHHELD, None, [])


@pytest.mark.parametrize(
    ("failure", "status"),
    [
        (PermanentFailure("no such number"), DispatchStatus.FAILED),
        (OutcomeUnknown("broke off"), DispatchStatus.UNKNOWN),
        (TemporaryFailure("busy"), DispatchStatus.QUEUED),
        (AccountFailure("refused"), DispatchStatus.QUEUED),
    ],
)
def test_what_fails_is_tried_again_only_when_it_was_surely_not_sent(
    house: House, application: Application, post: Post, failure: ChannelError, status: DispatchStatus
) -> None:
    house.patient().asks_for_code(house.references["P001"])
    post.fails = [failure]
    assert works_off(application) == [status]
    [row] = house.rows(CodeDispatch)
    assert (row.sealed_code is None) == (status is not DispatchStatus.QUEUED)
    house.clock.advance(minutes=1)
    assert len(works_off(application)) == (status is DispatchStatus.QUEUED)


def test_a_code_whose_time_has_passed_or_that_was_replaced_is_not_sent(
    house: House, application: Application, post: Post
) -> None:
    first, second = house.patient(), house.patient()
    first.asks_for_code(house.references["P001"])
    second.asks_for_code(house.references["P002"])
    house.clock.advance(seconds=1)
    second.chooses("verify_by_email")
    house.clock.advance(minutes=9, seconds=59)
    assert works_off(application) == [DispatchStatus.SENT]
    [sent] = post.taken
    assert sent.their == "lee@example.com"
    assert [row.status for row in house.rows(CodeDispatch)] == ["failed", "failed", "sent"]


def test_a_contact_that_was_retired_meanwhile_gets_nothing(house: House, application: Application, post: Post) -> None:
    house.patient().asks_for_code(house.references["P001"])
    [row] = house.rows(CodeDispatch)
    with house.database.writing() as session:
        point = session.get_one(ContactPoint, row.contact_point_id)
        point.retired_at, point.retired_because = house.clock(), Retirement.WRONG_PERSON.value
    works_off(application)
    assert post.taken == []


def test_whoever_dies_while_sending_leaves_it_unknown_and_it_is_never_sent_again(
    house: House, application: Application, post: Post
) -> None:
    house.patient().asks_for_code(house.references["P001"])
    with house.database.writing() as session:
        assert len(dispatches.take(session, house.vault, limit=10, at=house.clock())) == 1
    house.clock.advance(minutes=2)
    assert works_off(application) == []
    [row] = house.rows(CodeDispatch)
    assert (row.status, row.sealed_code, post.taken) == (DispatchStatus.UNKNOWN, None, [])


def test_the_code_room_itself_sends_and_forgets_old_rows(house: House, application: Application, post: Post) -> None:
    room = CodeRoom(application)
    patient = house.patient()
    patient.asks_for_code(house.references["P001"])
    patient.hears(house.code())
    assert room.look() == 1  # the note; the code is of no use any more
    room._senders.shutdown(wait=True)
    assert [row.status for row in house.rows(CodeDispatch)] == ["failed", "sent"]
    house.clock.advance(days=9)
    CodeRoom(application).look()
    assert house.rows(CodeDispatch) == []


def alone(secret: str) -> re.Pattern[bytes]:
    """The secret where no letter or digit is beside it: six digits stand in any long hash now and then."""
    return re.compile(rb"(?<![0-9A-Za-z])" + re.escape(secret.encode()) + rb"(?![0-9A-Za-z])")


def test_codes_references_and_contacts_lie_nowhere_in_clear(
    application: Application, post: Post, house: House, tmp_path: Path, logged: Callable[[], str]
) -> None:
    secrets: set[str] = set()
    for each in PATIENTS[:3]:
        patient = house.patient(network="n")
        patient.hears(f"my reference is {house.references[each[0]]} what happened")
        patient.asks_for_code(house.references[each[0]])
        secrets |= {house.code(), house.references[each[0]].replace("-", ""), house.references[each[0]]}
        works_off(application)
        patient.hears("000001")
        patient.hears(house_code := post.taken[-1].text.split()[1])
        secrets.add(house_code)
        other = house.patient(network="m")
        other.asks_for_code(each[3], "email")
        works_off(application)
        secrets |= {each[3], each[4], each[4].replace(" ", "")}
        application.doorbell.ring("codes")
    application.doorbell.flush()
    secrets -= {""}
    assert len(post.taken) >= 6
    texts = [logged(), *(text for _, text, _ in house.engine.asked), *(key for key, _, _ in house.engine.asked)]
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.name != "roster.csv"]
    dumped = "\n".join(str(vars(row)) for table in (Check, CodeDispatch, AuditEntry) for row in house.rows(table))
    for secret in sorted(secrets):
        assert not any(alone(secret).search(text.encode()) for text in texts), "in a log or at the engine"
        assert not any(alone(secret).search(content) for content in files), "in a file"
        assert not alone(secret).search(dumped.encode()), "in a row"
    assert any(row.kind == DispatchKind.NOTE for row in house.rows(CodeDispatch))
