"""The desk's own round: replies leave, snoozed cases wake, unclaimed ones are told and paged, idle claims go back.

Everything is decided from rows, so any process may die at any moment; the slower part of the round takes a lease, so
that several hosts do it once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from bot.base import leases
from bot.base.clock import Clock
from bot.base.database import Database
from bot.base.errors import NotPublished
from bot.base.vault import Vault
from bot.channels.base import Channel
from bot.conversations.speaking.publication import Library
from bot.desk.alarm import paging, silence, unclaimed
from bot.desk.hours.calendar import DEFAULT_HOURS, desk_hours
from bot.desk.hours.deadlines import reschedule
from bot.desk.hours.switches import calendar, is_closed_by_weather
from bot.desk.persons import told
from bot.desk.staff import approvals, throttle
from bot.desk.surge import slots, suggesting
from bot.desk.work import answers, presence
from bot.desk.work.ending import return_threads, wake

LEASE = "desk.watch"
LEASE_S = 60.0
EVERY = timedelta(seconds=15)
"""How often the slower part is done."""


class Watch:
    """One process's round of the desk; `tick` is called about once a second."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        library: Library,
        channels: Mapping[str, Channel],
        own: Mapping[str, str],
        clock: Clock,
        holder: str,
        woken: Callable[[], None] = lambda: None,
        taken: Callable[[Session, int, datetime], object] = lambda _session, _thread, _at: None,
        prove: answers.Proof = answers.nobody,
    ) -> None:
        """`own` is the address from which pages leave on each channel; `woken` is called when something is in the outbox.

        `taken` is called with each thread on which a person answers; `prove` says who is verified in a session.
        """
        self._database, self._vault, self._library = database, vault, library
        self._channels, self._own, self._clock, self._holder = channels, own, clock, holder
        self._woken, self._taken, self._prove = woken, taken, prove
        self._next: datetime | None = None

    def tick(self) -> None:
        """One round."""
        at = self._clock()
        self._replies(at)
        if self._next is None or at >= self._next or self._next - at > EVERY:
            self._next = at + EVERY
            self._round(at)
        paging.send_pages(self._database, self._vault, self._channels, self._own, self._clock)
        told.send_notes(self._database, self._vault, self._library, self._channels, self._own, self._clock)

    def _replies(self, at: datetime) -> None:
        with self._database.reading() as session:
            if not answers.are_due(session, at):
                return
        with self._database.writing() as session:
            published = self._library.current(session, at)
            said = answers.send_due(session, self._vault, published, at, taken=self._taken, prove=self._prove)
        if said:
            self._woken()

    def _round(self, at: datetime) -> None:
        with self._database.writing() as session:
            if not leases.take(session, name=LEASE, holder=self._holder, at=at, seconds=LEASE_S):
                return
            wake(session, self._vault, at)
            unclaimed.take_back(session, self._vault, at)
            return_threads(session, self._vault, at)
            approvals.expire(session, self._vault, at)
            presence.sweep(session, at)
            throttle.sweep(session, at)
            silence.alarm(session, self._vault, at)
            self._busy(session, at)
        self._unclaimed(at)

    def _busy(self, session: Session, at: datetime) -> None:
        try:
            published = self._library.current(session, at)
        except NotPublished:
            return
        slots.remind(session, self._vault, published, at)
        suggesting.suggest(session, self._vault, at, desk_hours(published.content))

    def _unclaimed(self, at: datetime) -> None:
        with self._database.reading() as session:
            try:
                published = self._library.current(session, at)
            except NotPublished:
                published = None
            hours = desk_hours(published.content) if published else DEFAULT_HOURS
            stormy = is_closed_by_weather(session)
        if stormy:
            with self._database.writing() as session:
                reschedule(session, at, hours)
        # Found while reading: with thousands of cases this takes a while, and writers must not wait for it.
        with self._database.reading() as session:
            known = calendar(session, at, hours)
            cases = unclaimed.unclaimed(session, known, at)
        if not cases:
            return
        calls = paging.calls_for_page(cases, known, at)
        untold = [case for case in cases if case.unclaimed_told_at is None]
        if calls:
            with self._database.writing() as session:
                paging.page(session, self._vault, calls, known, at)
        if untold and published is not None:
            # Apart from paging: a text that is missing must not keep the team from being called.
            with self._database.writing() as session:
                heard = unclaimed.tell_patients(session, self._vault, published, untold, at)
            if heard:
                self._woken()
