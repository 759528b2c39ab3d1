"""The dry run: everything a campaign would do, rendered and counted, and nothing sent or stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.campaigns.audience import KINDS, Candidate, candidates
from bot.campaigns.masks import masked
from bot.campaigns.models import Campaign
from bot.campaigns.office import Office
from bot.campaigns.plan import BY_HAND, Plan, plan_of
from bot.campaigns.texts import Text
from bot.channels.segments import segments
from bot.patients.finding import Particulars, particulars
from bot.patients.models import CONTACT, ContactPoint, Person, Way

SAMPLES = 20
SAMPLE_REFERENCE = "7K3M9-QT4XV"
EXAMPLE = Particulars("TEST", "CHAN Tai Man", "陳大文", ())
"""Whom samples and tests are made out to."""
SHARED_SHOWN = 20
REFUSED_SHOWN = 20


@dataclass
class Report:
    """What a campaign would do; addresses are masked throughout."""

    people: int = 0
    first_rung: Counter[str] = field(default_factory=Counter)
    by_language: Counter[str] = field(default_factory=Counter)
    by_variant: Counter[str] = field(default_factory=Counter)
    left_to_the_team: Counter[str] = field(default_factory=Counter)
    texts: int = 0  # different texts to be rendered
    messages: Counter[str] = field(default_factory=Counter)  # if every rung were needed
    segments: Counter[str] = field(default_factory=Counter)
    first_cost: float = 0.0  # HK$, if the first rung reaches everybody
    most_cost: float = 0.0  # HK$, if every rung were needed
    refusals: list[str] = field(default_factory=list)
    refused: int = 0
    shared_addresses: int = 0
    shared_people: int = 0
    shared_most: list[str] = field(default_factory=list)
    samples: list[dict[str, str]] = field(default_factory=list)
    first_rung_seconds: float = 0.0
    finished_at: datetime | None = None  # of the first rung, if it began now and no wave waited
    after_deadline: bool = False

    def plain(self) -> dict[str, Any]:
        """The same as plain values; a copy of a Counter by `asdict` would count its pairs."""
        values = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: dict(value) if isinstance(value, Counter) else value for name, value in values.items()}


def dry_run(office: Office, campaign: Campaign, progress: Callable[[int], None] = lambda _: None) -> Report:
    """Render and count everything; raises BadInput when a whole text cannot be made."""
    plan, report = plan_of(campaign.plan), Report()
    run = _Run(office, campaign, plan, report)
    with office.database.reading() as session:
        for batch in candidates(session, office.vault, plan, campaign.notice, campaign.version):
            run.count(session, batch)
            progress(report.people)
        _shared(session, office, plan, report)
    report.texts = len(run.texts)
    _forecast(plan, report, office.clock())
    return report


@dataclass
class _Run:
    office: Office
    campaign: Campaign
    plan: Plan
    report: Report
    texts: dict[Any, Text | None] = field(default_factory=dict)
    unapproved: set[Any] = field(default_factory=set)

    def count(self, session: Session, batch: Sequence[Candidate]) -> None:
        report, kept = self.report, [one for one in batch if one.because is None]
        report.people += len(batch)
        report.left_to_the_team.update(one.because.value for one in batch if one.because)
        ids = [one.person_id for one in kept]
        persons = {one.id: one for one in session.scalars(select(Person).where(Person.id.in_(ids)))}
        points = [point for one in kept[:SAMPLES] for _, point in one.ladder[:1]] if len(report.samples) < SAMPLES else []
        values = {one.id: one.sealed_value for one in session.scalars(select(ContactPoint).where(ContactPoint.id.in_(points)))}
        for one in kept:
            report.by_language[one.language] += 1
            report.by_variant[one.variant.value] += 1
            report.first_rung[one.ladder[0][0].value] += 1
            self._rungs(one, persons[one.person_id], values)

    def _rungs(self, one: Candidate, person: Person, sealed: dict[int, str]) -> None:
        who, report = particulars(person, self.office.vault), self.report
        for place, (way, point) in enumerate(one.ladder):
            parts = 0
            if way is not Way.PHONE:
                text = self._text(one, way)
                if text is None:
                    continue
                try:
                    personal = self.office.texts.values(who, Language(one.language), SAMPLE_REFERENCE)
                    text.substitutions(personal)
                    parts = segments(text.filled(personal)).count if way is Way.SMS else 0
                except BadInput as missing:
                    self._refuse(f"person {one.person_id}, {way.value}: {missing}")
                    continue
                if place == 0 and point in sealed and len(report.samples) < SAMPLES:
                    address = masked(way, self.office.vault.open(sealed[point], CONTACT))
                    example = self.office.texts.values(EXAMPLE, Language(one.language), SAMPLE_REFERENCE)
                    report.samples.append({"to": address, "channel": way.value, "text": text.filled(example)})
            report.messages[way.value] += 1
            report.segments[way.value] += parts
            cost = self.plan.price_micros(way, parts) / 1_000_000
            report.most_cost += cost
            report.first_cost += cost if place == 0 else 0.0

    def _text(self, one: Candidate, way: Way) -> Text | None:
        key = (way, one.language, one.variant, one.categories)
        if key not in self.texts:
            said = (self.campaign.notice, self.campaign.version, way, Language(one.language), one.variant, one.categories)
            try:
                self.texts[key] = self.office.texts.render(*said)
                self._approved(way, one, self.texts[key])
            except BadInput as wrong:
                self.texts[key] = None
                self._refuse(f"{way.value}, {one.language}, {one.variant.value}: {wrong}")
        return self.texts[key]

    def _approved(self, way: Way, one: Candidate, text: Text | None) -> None:
        """WhatsApp takes only what it approved before: without that nobody would be reached on this rung (Twilio 63016)."""
        named = (one.language, one.variant)
        if way is not Way.WHATSAPP or not self.office.reaches_patients or (text and text.content_id) or named in self.unapproved:
            return
        self.unapproved.add(named)
        self._refuse(
            f"whatsapp, {one.language}, {one.variant.value}: WhatsApp has approved no text; name it in CANDOUR_WHATSAPP_NOTICES "
            "or take WhatsApp out of the ladder"
        )

    def _refuse(self, words: str) -> None:
        self.report.refused += 1
        if len(self.report.refusals) < REFUSED_SHOWN:
            self.report.refusals.append(words)


def _shared(session: Session, office: Office, plan: Plan, report: Report) -> None:
    """Addresses on file for several people: each of them gets a message of their own."""
    kinds = [kind.value for way in plan.ladder if way not in BY_HAND for kind in KINDS[way]]
    people = func.count(ContactPoint.person_id.distinct())
    grouped = (
        select(func.min(ContactPoint.id), people.label("people"))
        .where(ContactPoint.retired_at.is_(None), ContactPoint.kind.in_(kinds))
        .group_by(ContactPoint.entry)
        .having(people > 1)
        .order_by(people.desc())
    )
    for point_id, number in session.execute(grouped):
        report.shared_addresses += 1
        report.shared_people += number
        if len(report.shared_most) < SHARED_SHOWN:
            point = session.get_one(ContactPoint, point_id)
            way = Way.EMAIL if point.kind == "email" else Way.SMS
            report.shared_most.append(f"{masked(way, office.vault.open(point.sealed_value, CONTACT))}: {number} people")


def _forecast(plan: Plan, report: Report, at: datetime) -> None:
    """When the first rung would be through at the plan's pace, quiet hours counted, and whether that is too late."""
    end = at
    for way in plan.ladder:
        weight = report.first_rung[way.value]
        if way in BY_HAND or not weight:
            continue
        if way is Way.SMS and report.messages[way.value]:
            weight = round(weight * report.segments[way.value] / report.messages[way.value])
        seconds = weight / plan.per_second[way]
        if plan.caps.per_hour:
            seconds = max(seconds, report.first_rung[way.value] / plan.caps.per_hour * 3600)
        report.first_rung_seconds = max(report.first_rung_seconds, seconds)
        end = max(end, _after(plan, way, at, seconds))
    report.finished_at = end
    report.after_deadline = plan.deadline is not None and end > plan.deadline


def _after(plan: Plan, way: Way, at: datetime, seconds: float) -> datetime:
    """The moment after so many seconds of sending, of which none are in quiet hours."""
    left, now = timedelta(seconds=seconds), plan.quiet_end(way, at) or at
    step = timedelta(minutes=10)
    while left > step:
        now, left = now + step, left - step
        now = plan.quiet_end(way, now) or now
    return now + left
