"""A small clinic for campaigns: people on file, texts to send, and providers that remember what they were given."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base.database import Database, writing_now
from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.base.vault import BlindIndex, Vault
from bot.campaigns import life
from bot.campaigns.models import Campaign, Notice, Obligation, Variant
from bot.campaigns.office import Gate, Office
from bot.campaigns.plan import Plan
from bot.campaigns.sending.room import NoticeRoom
from bot.channels.base import Mailing, Outgoing, Sent
from bot.patients.finding import Particulars
from bot.patients.models import (
    CONTACT,
    RECORD,
    Category,
    ContactKind,
    ContactPoint,
    LinkKind,
    Person,
    PersonLink,
    RosterImport,
    Way,
)
from tests.make import FakeClock

AUTHOR, OTHER = "Wong, privacy officer", "Lee, approver"
_numbers = count(1)


@dataclass(frozen=True)
class PlainText:
    """A text whose places are `{name}` and `{reference}`."""

    subject: str
    html: str
    plain: str
    digest: str
    content_id: str = "HX1"

    @property
    def canonical(self) -> bytes:
        return self.plain.encode()

    def substitutions(self, values: Mapping[str, str]) -> Mapping[str, str]:
        if not values["name"]:
            raise BadInput("The notice needs name, and it is empty.")
        return {f"{{{name}}}": value for name, value in values.items()}

    def filled(self, values: Mapping[str, str]) -> str:
        return self.plain.format(**values)

    def variables(self, values: Mapping[str, str]) -> Mapping[str, str]:
        return {"1": values["reference"]}


@dataclass
class PlainTexts:
    """Texts that say who they are for."""

    edition: str = "first"
    rendered: int = 0
    content_id: str = "HX1"

    def digest(self, notice: str, version: str) -> str:
        return hashlib.sha256(f"{self.edition} {notice} {version}".encode()).hexdigest()

    def keep(self, session: Session, notice: str, version: str) -> None:
        pass

    def render(
        self, notice: str, version: str, channel: Way, language: Language, variant: Variant, categories: tuple[Category, ...]
    ) -> PlainText:
        self.rendered += 1
        plain = f"{notice} {version} {channel} {language} {variant} {','.join(categories)} {{name}} {{reference}}"
        return PlainText("A notice", f"<p>{plain}</p>", plain, hashlib.sha256(plain.encode()).hexdigest(), self.content_id)

    def values(self, who: Particulars, language: Language, reference: str) -> Mapping[str, str]:
        return {"name": who.name, "reference": reference}


@dataclass
class Provider:
    """Takes what it is given unless told otherwise: `answers` may raise for an address."""

    answers: Callable[[str], None] = lambda address: None
    requests: list[list[str]] = field(default_factory=list)
    got: Counter[str] = field(default_factory=Counter)
    sent: dict[str, str] = field(default_factory=dict)  # reference to provider id
    texts: dict[str, str] = field(default_factory=dict)
    called_while_writing: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def send_many(self, mailing: Mailing) -> Sent:
        addresses = [one.their for one in mailing.copies]
        return self._take(addresses, {one.their: one.reference for one in mailing.copies}, {})

    def send(self, outgoing: Outgoing) -> Sent:
        return self._take([outgoing.their], {outgoing.their: outgoing.reference}, {outgoing.their: outgoing.text})

    def _take(self, addresses: list[str], references: dict[str, str], texts: dict[str, str]) -> Sent:
        with self._lock:
            self.called_while_writing |= writing_now()
            self.requests.append(addresses)
            for address in addresses:
                self.answers(address)
            identity = f"SM{next(_numbers)}"
            for address in addresses:
                self.got[address] += 1
                self.sent[references[address]] = identity
                self.texts.update(texts)
            return Sent(identity)


@dataclass
class Clinic:
    """The people, the texts, the providers, and a room that sends."""

    database: Database
    vault: Vault
    index: BlindIndex
    clock: FakeClock
    texts: PlainTexts = field(default_factory=PlainTexts)
    email: Provider = field(default_factory=Provider)
    sms: Provider = field(default_factory=Provider)
    whatsapp: Provider = field(default_factory=Provider)
    gate: Gate = lambda session, at: ""
    is_live: bool = True

    def office(self, holder: str = "worker-1") -> Office:
        channels: Any = {"email": self.email, "sms": self.sms, "whatsapp": self.whatsapp}
        own = {"email": "care@clinic.example", "sms": "#Candour", "whatsapp": "+85264500003"}
        return Office(
            self.database,
            self.vault,
            self.index,
            self.texts,
            channels,
            own,
            self.clock,
            holder,
            self.is_live,
            gate=lambda session, at: self.gate(session, at),
        )

    def people(self, number: int, **flags: Any) -> list[int]:
        """So many new persons, each with an e-mail, a mobile and a postal address; returns their numbers."""
        return [self.person(**flags) for _ in range(number)]

    def person(
        self,
        *,
        email: str | None = "",
        mobile: str | None = "",
        post: str | None = "1 Road",
        categories: tuple[Category, ...] = (Category.IDENTITY,),
        language: str = "en",
        name: str = "CHAN Tai Man",
        safe: bool = False,
        guardian: int | None = None,
        **flags: Any,
    ) -> int:
        number = next(_numbers)
        record = {"key": f"P{number}", "name": name, "name_zh": "", "categories": [one.value for one in categories]}
        contacts = {
            ContactKind.EMAIL: f"p{number}@mail.example" if email == "" else email,
            ContactKind.MOBILE: f"+8526{number:07}" if mobile == "" else mobile,
            ContactKind.POST: post,
        }
        with self.database.writing() as session:
            imported = session.scalars(select(RosterImport)).first()
            if imported is None:
                session.add(imported := RosterImport(digest="", by="", at=self.clock(), counts={}))
                session.flush()
            person = Person(
                key_entry=self.index.index("key", f"P{number}"),
                sealed_record=self.vault.seal(json.dumps(record), RECORD),
                language=language,
                import_id=imported.id,
                **flags,
            )
            session.add(person)
            session.flush()
            for kind, value in contacts.items():
                if value:
                    index = {"email": "email", "mobile": "phone", "post": "post"}[kind]
                    session.add(
                        ContactPoint(
                            person_id=person.id,
                            kind=kind.value,
                            entry=self.index.index(index, value),
                            sealed_value=self.vault.seal(value, CONTACT),
                            safe=safe,
                            added_at=self.clock(),
                        )
                    )
            if guardian:
                session.add(PersonLink(person_id=person.id, kind=LinkKind.GUARDIAN, other_id=guardian))
            return person.id

    def campaign(self, name: str = "first", **plan: Any) -> str:
        """A draft."""
        version = plan.pop("version", "1")
        given = {"waves": (), "per_second": {Way.EMAIL: 1e6, Way.SMS: 1e6, Way.WHATSAPP: 1e6}, **plan}
        with self.database.writing() as session:
            life.new(
                session, self.vault, name=name, notice="first-notice", version=version, plan=Plan(**given), by=AUTHOR,
                at=self.clock(),
            )  # fmt: skip
        return name

    def approved(self, name: str = "first", **plan: Any) -> str:
        """One that was submitted and approved."""
        self.campaign(name, **plan)
        life.submit(self.office(), name, by=AUTHOR)
        life.approve(self.office(), name, by=OTHER)
        return name

    def running(self, name: str = "first", **plan: Any) -> str:
        """One that was started."""
        life.start(self.office(), self.approved(name, **plan), by=AUTHOR)
        return name

    def works(self, rounds: int = 40, holder: str = "worker-1") -> NoticeRoom:
        """Let a room work until nothing moves any more."""
        room = NoticeRoom(self.office(holder))
        quiet = 0
        for _ in range(rounds):
            before = self.counts()
            moved = room.step()
            while not room.idle():
                room.step()
            self.clock.advance(seconds=1)
            quiet = quiet + 1 if not moved and self.counts() == before else 0
            if quiet > 2:
                break
        room.close()
        return room

    def counts(self, table: Any = Obligation) -> dict[str, int]:
        """How many rows are in each status."""
        with self.database.reading() as session:
            return dict(session.execute(select(table.status, func.count()).group_by(table.status)).all())

    def notices(self, **wanted: Any) -> list[Notice]:
        """Notices with these values."""
        with self.database.reading() as session:
            return list(session.scalars(select(Notice).filter_by(**wanted).order_by(Notice.id)))

    def now(self, name: str = "first") -> Campaign:
        """The campaign as it stands."""
        with self.database.reading() as session:
            return life.named(session, name)
