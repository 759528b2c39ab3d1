"""Waves of e-mail: patients are read at once, strangers beyond the measure wait, and in the end everything is read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot.base.database import Database
from bot.base.vault import BlindIndex, Vault
from bot.channels import letters
from bot.channels.base import HookKind
from bot.channels.registry import channels
from bot.conversations.models import Thread, Turn
from bot.conversations.post import arrivals, floods, hooks
from bot.conversations.post.models import HookDelivery
from tests.channels.signing import MAKERS, account, letter, mail_fields
from tests.make import FakeClock

LIMITS = floods.Limits(altogether=10, domain=4)


class Mailbox:
    """Our mailbox: letters arrive, are stored and read."""

    def __init__(self, database: Database, desk: hooks.Desk, clock: FakeClock) -> None:
        self.database, self.desk, self.clock, self.number = database, desk, clock, 0

    def gets(self, sender: str, text: str = "What happened?", to: str = "care@clinic.example", **headers: str) -> str:
        """A letter arrives; returns its Message-ID."""
        self.number += 1
        identity = f"<m{self.number}@{sender.rpartition('@')[2]}>"
        lines = "".join(f"{name.replace('_', '-')}: {value}\n" for name, value in headers.items())
        head = f"From: {sender}\nTo: {to}\nMessage-ID: {identity}\n{lines}"
        envelope = json.dumps({"to": [to], "from": sender})
        fields = {**mail_fields(text, sender=sender), "to": to, "headers": head, "envelope": envelope}
        kept = self.desk.channels["email"].keep(letter(fields))
        with self.database.writing() as session:
            assert hooks.store(session, self.desk.vault, [(HookKind.SENDGRID_INBOUND, kept)], self.clock()) == 1
        return identity

    def reads(self) -> hooks.Applied:
        """One round of reading everything that waits."""
        with self.database.writing() as session:
            return hooks.apply(session, self.desk, self.clock())

    def releases(self) -> int:
        """What is held is let go as far as there is room, and read."""
        with self.database.writing() as session:
            released = floods.release(session, self.desk.limits, self.clock())
        self.reads()
        return released

    def remarks(self) -> list[str]:
        """Status or remark of every letter, in order."""
        with self.database.reading() as session:
            rows = session.execute(select(HookDelivery.status, HookDelivery.remark).order_by(HookDelivery.id))
            return [row[1] or row[0] for row in rows]

    def count(self, table: type) -> int:
        """Rows of a table."""
        with self.database.reading() as session:
            return session.scalar(select(func.count()).select_from(table)) or 0


@pytest.fixture
def mailbox(tmp_path: Path, database: Database, clock: FakeClock, vault: Vault, index: BlindIndex) -> Mailbox:
    own = "care@clinic.example,help@clinic.example"
    desk = hooks.Desk(channels(account(tmp_path, email_addresses=own), clock), vault, index, {}, LIMITS, lambda _: False)
    return Mailbox(database, desk, clock)


def test_a_wave_from_one_domain_waits_and_delays_nobody_else(mailbox: Mailbox) -> None:
    for number in range(12):
        mailbox.gets(f"bomb{number}@evil.example")
    mailbox.gets("chan@mail.example")
    mailbox.reads()
    assert mailbox.remarks() == ["applied"] * 4 + ["flood_domain"] * 8 + ["applied"]


def test_who_has_written_before_is_read_whatever_comes(mailbox: Mailbox) -> None:
    mailbox.gets("wong@evil.example")
    for number in range(6):
        mailbox.gets(f"bomb{number}@evil.example")
    mailbox.gets("wong@evil.example", "And what should I do now?")
    mailbox.reads()
    assert mailbox.remarks()[-1] == "applied"
    assert mailbox.remarks().count("flood_domain") == 3


def test_many_domains_at_once_are_held_altogether(mailbox: Mailbox) -> None:
    for number in range(14):
        mailbox.gets(f"someone@d{number}.example")
    mailbox.reads()
    assert mailbox.remarks() == ["applied"] * 10 + ["flood"] * 4


def test_words_of_danger_do_not_wait(mailbox: Mailbox) -> None:
    mailbox.desk = replace(mailbox.desk, is_urgent=lambda text: "die" in text)
    for number in range(5):
        mailbox.gets(f"bomb{number}@evil.example")
    mailbox.gets("lam@evil.example", "I want to die")
    mailbox.reads()
    assert mailbox.remarks() == ["applied"] * 4 + ["flood_domain", "applied"]


def test_nothing_is_lost_and_each_is_read_once_when_there_is_room(mailbox: Mailbox) -> None:
    for number in range(23):
        mailbox.gets(f"bomb{number}@evil.example")
    mailbox.gets("chan@late.example")
    mailbox.reads()
    assert mailbox.releases() == 0
    hours = 0
    while "flood_domain" in mailbox.remarks():
        mailbox.clock.advance(hours=1, minutes=1)
        mailbox.releases()
        hours += 1
        assert hours < 10
    assert mailbox.remarks() == ["applied"] * 24
    assert mailbox.count(Turn) == mailbox.count(Thread) == 24
    assert hours == 5


def test_the_domain_with_the_fewest_is_let_go_first(mailbox: Mailbox) -> None:
    mailbox.desk = replace(mailbox.desk, limits=floods.Limits(altogether=2, domain=2))
    for number in range(4):
        mailbox.gets(f"bomb{number}@evil.example")
    mailbox.gets("chan@mail.example")
    mailbox.reads()
    assert mailbox.remarks() == ["applied"] * 2 + ["flood_domain"] * 2 + ["flood"]
    mailbox.clock.advance(hours=2)
    mailbox.desk = replace(mailbox.desk, limits=floods.Limits(altogether=1, domain=2))
    assert mailbox.releases() == 1
    assert mailbox.remarks() == ["applied"] * 2 + ["flood_domain"] * 2 + ["applied"]


def test_the_domain_is_not_readable_in_the_rows(mailbox: Mailbox) -> None:
    mailbox.gets("bomb@evil.example")
    mailbox.reads()
    with mailbox.database.reading() as session:
        assert "evil" not in str([vars(row) for row in session.scalars(select(HookDelivery))])


def test_two_automatic_senders_that_answer_for_each_other_end_after_twenty(mailbox: Mailbox) -> None:
    answered = [mailbox.gets("desk@robot.example")]
    mailbox.reads()
    for number in range(1, 40):
        sender, own = [("desk@robot.example", "care"), ("team@robot.example", "help")][number % 2]
        # They answer what we said last, with the ids of the whole conversation; to what was too much we said nothing.
        letter_id = mailbox.gets(sender, "Thank you for writing", f"{own}@clinic.example", References=" ".join(answered))
        applied = mailbox.reads()
        answered += [letter_id] if applied.touched else []
    assert mailbox.count(Thread) == 2
    assert mailbox.count(Turn) == 20
    assert applied.overrun
    assert mailbox.remarks()[20:] == ["too_many"] * 20


def test_a_reply_without_references_names_its_parent() -> None:
    fields = mail_fields("Thanks", headers="In-Reply-To: <parent@mail.example>\n")
    assert letters.letter_of(fields)["references"] == "<parent@mail.example>"


def test_a_telephone_that_answers_by_itself_ends_too_and_words_of_danger_still_come_through(
    mailbox: Mailbox,
) -> None:
    sms = mailbox.desk.channels["sms"]
    mailbox.desk = replace(mailbox.desk, is_urgent=lambda text: "die" in text)
    most = arrivals.PER_HOUR["sms"]
    texts = ["I am driving and will answer later"] * (most + 3) + ["I want to die"]
    kept = [(HookKind.TWILIO_MESSAGES, sms.keep(MAKERS["sms"].turn(text, f"SM{n}"))) for n, text in enumerate(texts)]
    with mailbox.database.writing() as session:
        hooks.store(session, mailbox.desk.vault, kept, mailbox.clock())
    while (applied := mailbox.reads()).number:
        last = applied
    assert last.touched
    assert mailbox.remarks() == ["applied"] * most + ["too_many"] * 3 + ["applied"]
