"""The room in which campaigns are sent: rounds over running campaigns, calls in a few threads, results written down together.

Several workers may have one each. The rows are the truth: what a worker was doing when it died stays `submitting`, and
becomes `unknown` when its lease has run out.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.campaigns import ladder, life
from bot.campaigns.models import OPEN, Campaign, CampaignStatus, Notice, NoticeStatus, Obligation
from bot.campaigns.office import Office
from bot.campaigns.plan import BY_HAND, plan_of
from bot.campaigns.sending import calling, claiming, concluding, suppressing
from bot.campaigns.sending.press import Press
from bot.patients.models import Way

log = logging.getLogger(__name__)

PLACES = {Way.EMAIL: 4, Way.SMS: 48, Way.WHATSAPP: 16}
"""Calls at a time per channel; an e-mail call is for up to a hundred people."""
EVERY_S = 0.5
LOOK_EVERY = timedelta(seconds=1)
LISTS_EVERY = timedelta(seconds=30)
ROUNDS = 5
"""Batches of rungs begun in one look: pausing and other campaigns must not wait for all of a hundred thousand."""


class NoticeRoom:
    """Sends what running campaigns owe; `step` does one round."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._press = Press(office)
        self._callers = ThreadPoolExecutor(sum(PLACES.values()) + 1, thread_name_prefix="notices")
        self._calling: Counter[Way] = Counter()
        self._done: list[calling.Called] = []
        self._changed = threading.Condition()
        self._look_at: datetime | None = None
        self._lists_at: datetime | None = None
        self._closed = False
        self._reading: Future[int] | None = None

    def wake(self) -> None:
        """There may be something to do."""
        with self._changed:
            self._changed.notify_all()

    def run(self, stop: threading.Event, beat: Callable[[], None] = lambda: None) -> None:
        """Work until told to stop, calling `beat` at each round; calls under way end first and are written down."""
        while not stop.is_set():
            beat()
            moved = 0
            try:
                moved = self.step()
            except Exception as failed:  # the rows are the truth: the next round finds them
                log.error("the notice room stumbled: %s", type(failed).__name__)
            with self._changed:
                if not moved and not self._done:
                    self._changed.wait(EVERY_S)
        self.close()

    def close(self) -> None:
        """Let calls under way end and write down what came of them."""
        self._closed = True
        self._callers.shutdown(wait=True, cancel_futures=False)
        self._write_down()

    def step(self) -> int:
        """Write results down, look after campaigns, take notices up and have them called; returns how many were taken up."""
        self._write_down()
        now = self._office.clock()
        if self._look_at is None or now >= self._look_at:
            self._look_at = now + LOOK_EVERY
            self._look(now)
            self._read_lists(now)
        return sum(self._send(campaign_id, channels) for campaign_id, channels in self._running())

    def idle(self) -> bool:
        """Whether no call is under way and nothing waits to be written down."""
        with self._changed:
            return not self._done and not any(self._calling.values())

    def _running(self) -> list[tuple[int, list[Way]]]:
        with self._office.database.reading() as session:
            running = session.scalars(
                select(Campaign).where(Campaign.status == CampaignStatus.RUNNING.value).order_by(Campaign.id)
            )
            return [(one.id, [way for way in plan_of(one.plan).ladder if way not in BY_HAND]) for one in running]

    def _read_lists(self, now: datetime) -> None:
        """Have SendGrid's suppression lists read beside the sending; whether they are due is asked now and then only."""
        if (self._lists_at and now < self._lists_at) or (self._reading and not self._reading.done()):
            return
        self._lists_at = now + LISTS_EVERY
        with self._office.database.reading() as session:
            is_due = suppressing.due(session, now)
        if is_due:
            self._reading = self._callers.submit(self._lists_read)

    def _lists_read(self) -> int:
        try:
            return suppressing.read(self._office, lambda: not self._closed)
        except Exception as failed:  # the place is kept: the next round goes on from there
            log.error("the suppression lists could not be read: %s", type(failed).__name__)
            return 0

    def _look(self, now: datetime) -> None:
        office = self._office
        with office.database.reading() as session:
            hanging = Notice.status == NoticeStatus.SUBMITTING.value
            lost = select(Notice.id).where(OPEN, hanging, Notice.lease_until <= now)
            has_lost = session.scalars(lost.limit(1)).first() is not None
        if has_lost:
            with office.database.writing() as session:
                number = concluding.bury(session, office, now)
            log.warning("%d notices are unknown: whoever submitted them stopped in the middle", number)
        for campaign_id, _ in self._running():
            with office.database.writing() as session:
                self._checked(session, campaign_id, now)
                ladder.look(session, office, campaign_id, now)
            for _ in range(ROUNDS):
                if not self._due(campaign_id, now):
                    break
                with office.database.writing() as session:
                    ladder.advance(session, office, session.get_one(Campaign, campaign_id), now)

    def _checked(self, session: Session, campaign_id: int, now: datetime) -> None:
        campaign = session.get_one(Campaign, campaign_id, with_for_update=True)
        try:
            self._press.check(campaign)
        except BadInput as changed:
            if campaign.status == CampaignStatus.RUNNING:
                life.pause(session, self._office.vault, campaign, by="campaign", why=str(changed), at=now)

    def _due(self, campaign_id: int, now: datetime) -> bool:
        due = select(Obligation.id).where(
            Obligation.campaign_id == campaign_id, Obligation.status == "open", Obligation.next_at <= now
        )
        with self._office.database.reading() as session:
            running = session.scalar(select(Campaign.status).where(Campaign.id == campaign_id)) == CampaignStatus.RUNNING
            return running and session.scalars(due.limit(1)).first() is not None

    def _send(self, campaign_id: int, channels: list[Way]) -> int:
        number = 0
        for channel in channels:
            with self._changed:
                free = PLACES[channel] - self._calling[channel]
            if free <= 0 or not self._waits(campaign_id, channel):
                continue
            is_mail = channel is Way.EMAIL
            taken = self._claimed(campaign_id, channel, free * claiming.REQUEST if is_mail else free)
            number += len(taken)
            for group in claiming.requests(taken) if is_mail else [[one] for one in taken]:
                with self._changed:
                    self._calling[channel] += 1
                self._callers.submit(self._call, group)
        return number

    def _waits(self, campaign_id: int, channel: Way) -> bool:
        waiting = select(Notice.id).where(
            Notice.campaign_id == campaign_id,
            Notice.channel == channel.value,
            OPEN,
            Notice.status == NoticeStatus.PLANNED.value,
            Notice.due_at <= self._office.clock(),
        )
        with self._office.database.reading() as session:
            return session.scalars(waiting.limit(1)).first() is not None

    def _claimed(self, campaign_id: int, channel: Way, most: int) -> list[claiming.Taken]:
        office = self._office
        try:
            with office.database.writing() as session:
                return claiming.claim(session, office, self._press, campaign_id, channel, most, office.clock())
        except BadInput as wrong:  # the text cannot be made: nobody gets it until somebody has looked
            with office.database.writing() as session:
                campaign = session.get_one(Campaign, campaign_id, with_for_update=True)
                if campaign.status == CampaignStatus.RUNNING:
                    life.pause(session, office.vault, campaign, by="campaign", why=str(wrong), at=office.clock())
            return []

    def _call(self, group: list[claiming.Taken]) -> None:
        called: calling.Called = []
        try:
            called = calling.call(self._office, group)
        finally:
            with self._changed:
                self._done.append(called)
                self._calling[group[0].channel] -= 1
                self._changed.notify_all()

    def _write_down(self) -> None:
        with self._changed:
            done, self._done = self._done, []
        results = [one for called in done for one in called]
        if not results:
            return
        try:
            self._written(results)
        except Exception as failed:
            log.error("what came of %d calls could not be written down: %s", len(results), type(failed).__name__)
            # One that cannot be written must not keep the others; what the database refused is kept until it takes it.
            self._kept([one for one in results if not self._alone(one)])

    def _written(self, results: calling.Called) -> None:
        with self._office.database.writing() as session:
            concluding.conclude_all(session, self._office, results, self._office.clock())

    def _alone(self, result: tuple[list[claiming.Taken], concluding.Result]) -> bool:
        try:
            self._written([result])
        except Exception as failed:
            log.error("what came of a call could not be written down: %s", type(failed).__name__)
            return False
        return True

    def _kept(self, results: calling.Called) -> None:
        if results:
            with self._changed:
                self._done.insert(0, results)
