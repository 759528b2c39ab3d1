"""Who is owed a notice, in which form, by which rungs; and who has to be seen to by a person instead, and why.

Persons are read in order, a batch at a time, with all that is asked about them in one query each: memory stays flat.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from bot.base.vault import Vault
from bot.campaigns.models import FINAL, Obligation, ObligationStatus, Variant
from bot.campaigns.plan import Audience, Plan
from bot.patients.disclosure import PersonHold, PersonWish
from bot.patients.finding import Particulars, particulars
from bot.patients.models import Category, ContactKind, ContactPoint, LinkKind, Person, PersonLink, Way
from bot.patients.notices.models import NoticeOnFile

BATCH = 1000
TWO = 2
"""Contact points tried on one rung before the next one."""
KINDS: Mapping[Way, frozenset[ContactKind]] = {
    Way.EMAIL: frozenset({ContactKind.EMAIL}),
    Way.SMS: frozenset({ContactKind.MOBILE, ContactKind.PHONE}),  # a landline takes no text
    Way.WHATSAPP: frozenset({ContactKind.MOBILE, ContactKind.PHONE}),
    Way.PHONE: frozenset({ContactKind.MOBILE, ContactKind.LANDLINE, ContactKind.PHONE}),
    Way.LETTER: frozenset({ContactKind.POST}),
}
MESSAGES = frozenset({Way.EMAIL, Way.SMS, Way.WHATSAPP})


class Because(StrEnum):
    """Why a person is left to the team."""

    DECEASED = "deceased"  # next of kin are written to by hand
    PROTECTED = "protected"  # nothing without a decision of the privacy officer
    HELD = "held"  # who this person is was doubted, or a death was reported
    NO_CONTACT = "no_contact"  # no usable contact for any rung
    STOPPED = "stopped"  # wished no more messages, and has no other contact
    EXHAUSTED = "exhausted"  # every rung was tried
    RETURNED = "returned"  # the letter came back
    UNWRITABLE = "unwritable"  # something the text needs is missing in this person's record


@dataclass(frozen=True, repr=False)
class Candidate:
    """One person of the audience, judged."""

    person_id: int
    language: str
    variant: Variant
    categories: tuple[Category, ...]
    ladder: tuple[tuple[Way, int], ...]
    because: Because | None

    @property
    def written(self) -> str:
        """The ladder as it is frozen."""
        return " ".join(f"{way.value}:{point}" for way, point in self.ladder)


def rungs_of(ladder: str) -> list[tuple[Way, int]]:
    """A frozen ladder, read."""
    return [(Way(way), int(point)) for way, _, point in (rung.partition(":") for rung in ladder.split())]


def candidates(session: Session, vault: Vault, plan: Plan, notice: str, version: str) -> Iterator[list[Candidate]]:
    """Everybody of the audience who is not owed or told this notice version yet, batch by batch in the order of their numbers."""
    after = 0
    while persons := session.scalars(_wanted(plan.audience, notice, version, after)).all():
        after = persons[-1].id
        about = _About(session, persons)
        known = [(person, particulars(person, vault)) for person in persons]
        chosen = [(person, who) for person, who in known if _is_meant(who, plan.audience)]
        yield [_judged(person, who.categories, about, plan) for person, who in chosen]
        session.expunge_all()


def told(notice: str, version: str) -> ColumnElement[bool]:
    """That a person holds a notice version: told by a campaign, or by an earlier list that was brought in."""
    final = [status.value for status in FINAL]
    by_us = and_(Obligation.notice == notice, Obligation.version == version, Obligation.status.in_(final))
    before = and_(NoticeOnFile.name == notice, NoticeOnFile.version == version)
    return or_(
        exists().where(Obligation.person_id == Person.id, by_us), exists().where(NoticeOnFile.person_id == Person.id, before)
    )


def _is_meant(who: Particulars, audience: Audience) -> bool:
    """Whether what is sealed about a person is what the audience asks for."""
    kinds, clinics = set(audience.categories), {one.casefold() for one in audience.clinics}
    return (not kinds or bool(kinds & set(who.categories))) and (not clinics or who.clinic.casefold() in clinics)


def _wanted(audience: Audience, notice: str, version: str, after: int) -> Any:
    owed = exists().where(
        Obligation.person_id == Person.id,
        Obligation.notice == notice,
        Obligation.version == version,
        Obligation.status != ObligationStatus.CANCELLED.value,
    )
    wanted = select(Person).where(Person.id > after, ~owed, ~told(notice, version)).order_by(Person.id).limit(BATCH)
    if audience.languages:
        wanted = wanted.where(Person.language.in_([language.value for language in audience.languages]))
    if audience.minors is not None:
        wanted = wanted.where(Person.minor.is_(audience.minors))
    if audience.staff is not None:
        wanted = wanted.where(Person.staff.is_(audience.staff))
    if audience.holds:
        wanted = wanted.where(told(*audience.holds))
    if audience.lacks:
        wanted = wanted.where(~told(*audience.lacks))
    return wanted


class _About:
    """What is on file about a batch of persons and their guardians."""

    def __init__(self, session: Session, persons: Sequence[Person]) -> None:
        ids = [person.id for person in persons]
        minors = [person.id for person in persons if person.minor]
        links = select(PersonLink.person_id, PersonLink.other_id).where(
            PersonLink.person_id.in_(minors), PersonLink.kind == LinkKind.GUARDIAN
        )
        self.guardian: dict[int, int] = {}
        for ward, guardian in session.execute(links.order_by(PersonLink.other_id.desc())):
            self.guardian[ward] = guardian
        everybody = [*ids, *self.guardian.values()]
        others = select(Person).where(Person.id.in_(list(self.guardian.values())))
        self.person = {one.id: one for one in session.scalars(others)}
        self.points: dict[int, list[Any]] = defaultdict(list)
        columns = (ContactPoint.person_id, ContactPoint.id, ContactPoint.kind, ContactPoint.safe)
        in_use = select(*columns).where(ContactPoint.person_id.in_(everybody), ContactPoint.retired_at.is_(None))
        for point in session.execute(in_use.order_by(ContactPoint.place, ContactPoint.id)):
            self.points[point.person_id].append(point)
        self.shared = self._shared(session, everybody)
        held = select(PersonHold.person_id).where(PersonHold.person_id.in_(everybody), PersonHold.lifted_at.is_(None))
        self.held = set(session.scalars(held))
        stopped = select(PersonWish.person_id).where(PersonWish.person_id.in_(everybody), PersonWish.stopped_at.is_not(None))
        self.stopped = set(session.scalars(stopped))

    def _shared(self, session: Session, persons: Sequence[int]) -> set[int]:
        """Persons who have an e-mail address or number that is on file for somebody else too."""
        other = aliased(ContactPoint)
        rings = [kind.value for way in MESSAGES for kind in KINDS[way]]
        twice = select(ContactPoint.person_id).join(
            other, and_(other.entry == ContactPoint.entry, other.person_id != ContactPoint.person_id, other.retired_at.is_(None))
        )
        mine = (ContactPoint.person_id.in_(persons), ContactPoint.retired_at.is_(None), ContactPoint.kind.in_(rings))
        return set(session.scalars(twice.where(*mine).distinct()))


def _judged(person: Person, categories: tuple[Category, ...], about: _About, plan: Plan) -> Candidate:
    own = about.points[person.id]
    is_safe = any(point.safe for point in own)
    reader = person
    if person.minor and not is_safe:  # a ward's safe contact is safe from somebody: the guardian is not asked
        reader = about.person.get(about.guardian.get(person.id, 0), person)
    own_form = Variant.SHARED if plan.form is Variant.SHARED or person.id in about.shared else Variant.STANDARD
    variant = Variant.NEUTRAL if is_safe else Variant.GUARDIAN if person.minor else own_form
    points = about.points[reader.id] or own
    if reader is not person and any(point.safe for point in points):
        variant = Variant.NEUTRAL
    usable = [point for point in points if point.safe] or points
    stopped = bool({person.id, reader.id} & about.stopped)
    ladder = _ladder(plan, usable, _ruled_out(person, reader), stopped=stopped)
    because = _because(person, reader, about, has_ladder=bool(ladder), stopped=stopped)
    return Candidate(person.id, reader.language, variant, tuple(sorted(categories)), () if because else ladder, because)


def _because(person: Person, reader: Person, about: _About, *, has_ladder: bool, stopped: bool) -> Because | None:
    if person.deceased:
        return Because.DECEASED
    if person.protected or reader.protected:
        return Because.PROTECTED
    if {person.id, reader.id} & about.held or reader.deceased:
        return Because.HELD
    if not has_ladder:
        return Because.STOPPED if stopped else Because.NO_CONTACT
    return None


def _ruled_out(*persons: Person) -> set[str]:
    return {way for person in persons for way in person.not_by.split(",") if way}


def _ladder(plan: Plan, points: Iterable[Any], ruled_out: set[str], *, stopped: bool) -> tuple[tuple[Way, int], ...]:
    usable = list(points)
    found: list[tuple[Way, int]] = []
    for way in plan.ladder:
        if way.value in ruled_out or (stopped and way in MESSAGES):
            continue
        fitting = [point.id for point in usable if point.kind in KINDS[way]]
        found += [(way, point) for point in fitting[: TWO if way in MESSAGES else 1]]
    return tuple(found)
