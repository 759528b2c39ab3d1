"""The inbox: one turn → who answers it. The heart of Candour.

`answer` works off a thread's waiting turns in order, under the thread's lease. It is the same
function whether the web process calls it at once or the worker finds a turn left behind. Nothing is
written while the engine thinks: one short transaction takes the turn up, one concludes it with
reply, case, proof and status together, so that a crash in between loses nothing and doubles nothing.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.answering import Answer, Mind, Work, answer, calling, speakable, surge
from bot.answering.checkpoint import Checkpoint
from bot.base import audit
from bot.base.clock import Clock
from bot.base.database import Database
from bot.base.languages import Language
from bot.base.lifecycle import move
from bot.base.vault import Vault
from bot.channels.windows import WINDOWS
from bot.conversations import choices, threads
from bot.conversations.engine import as_json
from bot.conversations.models import Owner, PatientSession, Reply, Thread, Turn, TurnStatus
from bot.conversations.post import invitations, outbox
from bot.conversations.speaking.levels import Verified
from bot.conversations.speaking.opening import STATEMENT
from bot.conversations.speaking.publication import Library, Published
from bot.conversations.speaking.replies import Said, write_reply
from bot.conversations.transcript import TURN_TEXT
from bot.deeds.carrying import Deeds
from bot.desk.cases import Opened, open_case, reasons_of, turn_arrived, unresolved_case
from bot.desk.hours.calendar import Hours, desk_hours, published_hours
from bot.desk.hours.estimates import told
from bot.desk.models import Case
from bot.desk.reasons import reason
from bot.desk.records import Known
from bot.desk.work.persons import link
from bot.identity import state
from bot.identity.flow import Identity

log = logging.getLogger(__name__)

ASKED_AFTER_STOP = "asked_after_stop"
SMALL = frozenset({"empty_turn", "greeting_thanks", "choose_language", "language_chosen", "choice_expired"})
"""Answers that nobody misses who does not get them."""


@dataclass(frozen=True)
class _Taken:
    """A waiting turn taken up: the lease on its thread, what to answer, and out of what."""

    thread_id: int
    token: str
    work: Work
    published: Published


class Inbox:
    """Answers waiting turns; safe to share between threads."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        mind: Mind,
        library: Library,
        clock: Clock,
        identity: Identity | None = None,
        deeds: Deeds | None = None,
    ) -> None:
        """Without `identity` nobody can be verified, without `deeds` nothing is carried out."""
        self._checkpoint = Checkpoint(vault, mind.official, identity, deeds)
        self._database = database
        self._vault = vault
        self._mind = mind
        self._library = library
        self._clock = clock

    def answer(self, thread_id: int) -> int:
        """Answer every waiting turn of a thread and say how many; 0 when somebody else is at it.

        Raises NotPublished when there is no wording to answer with, and the database's errors; the
        turns then wait for the sweeper.
        """
        taken = self._take_up(thread_id, None)
        answered = 0
        while taken:
            more = self._conclude(taken, self._decide(taken))
            if more is None:
                break
            answered += 1
            taken = self._take_up(thread_id, taken.token) if more else None
        return answered

    def _decide(self, taken: _Taken) -> Answer:
        try:
            said = answer(taken.work, self._mind)
            return speakable(said, taken.published.content, is_verified=taken.work.verified is not None)
        except Exception as unexpected:
            # A turn that breaks us must still be answered. The text of the error might hold the patient's words.
            log.error("turn %s could not be decided: %s at %s", taken.work.turn_id, type(unexpected).__name__, _place(unexpected))
            return Answer(taken.work.language, say=("apology",), reason="engine_failed", status=TurnStatus.FAILED)

    def _take_up(self, thread_id: int, token: str | None) -> _Taken | None:
        now = self._clock()
        with self._database.writing() as session:
            if token is None:
                token = threads.take_lease(session, thread_id, now)
            elif not threads.renew_lease(session, thread_id, token, now):
                return None
            turn = threads.next_waiting(session, thread_id) if token else None
            if token is None or turn is None:
                threads.drop_lease(session, thread_id, token or "")
                return None
            published = self._library.current(session, now)
            turn.attempts += 1
            state.lapse(session, self._vault, session.get_one(Thread, thread_id), turn.session_id, now)
            return _Taken(thread_id, token, self._work(session, turn, published), published)

    def _work(self, session: Session, turn: Turn, published: Published) -> Work:
        thread = session.get_one(Thread, turn.thread_id)
        patient_session = session.get_one(PatientSession, turn.session_id)
        last = session.scalars(select(Reply).where(Reply.thread_id == thread.id).order_by(Reply.number.desc()).limit(1)).first()
        now = self._clock()
        busy, times = calling.times(session, published.content, now)
        still_good = last and last.session_id == turn.session_id and last.publication_id == published.id
        return Work(
            turn_id=turn.id,
            text=self._vault.open(turn.sealed_text, TURN_TEXT) if turn.sealed_text else "",
            channel=thread.channel,
            language=Language(thread.language),
            language_chosen=thread.language_chosen,
            owner=Owner(thread.owner),
            engine_key=patient_session.engine_key,
            misses=patient_session.misses,
            content=published.content,
            is_press=turn.choice is not None,
            pressed=choices.pressed(session, turn, published.id) if turn.choice else None,
            last_choices=tuple(last.choices) if last and still_good else (),
            known_reasons=reasons_of(session, unresolved_case(session, thread.id)),
            attempts=turn.attempts,
            attached=turn.attached or "",
            keyword=turn.keyword or "",
            is_awaited=thread.channel in WINDOWS and invitations.waits(session, thread.id),
            verified=state.verified_person(session, patient_session.id, now),
            surge=busy,
            call_times=times,
        )

    def _conclude(self, taken: _Taken, said: Answer) -> bool | None:
        """Write everything about the answer at once; returns whether more turns wait, None when the lease was lost."""
        now = self._clock()
        with self._database.writing() as session:
            if not threads.renew_lease(session, taken.thread_id, taken.token, now):
                return None
            thread, turn = session.get_one(Thread, taken.thread_id), session.get_one(Turn, taken.work.turn_id)
            self._checkpoint.mask(session, taken.work, turn, said, now)
            said = self._checkpoint.decided(session, thread, turn, taken.work, said, now)
            hours = desk_hours(taken.published.content)
            said = surge.shortened(said, taken.work)
            opened = self._case_of(session, turn, said, hours, now)
            if said.call and opened:
                said = calling.carried_out(session, self._vault, said, taken.work, opened.case, hours, now)
            self._open_case(session, turn, said.mark, now, hours)
            self._open_case(session, turn, ASKED_AFTER_STOP if _stays_unsaid(thread, said) else None, now, hours)
            self._link(session, thread, said.verified or taken.work.verified, now)
            if said.say:
                said = _with_statement(thread, said, taken.published, now)
                self._reply(session, taken, turn, said, opened.case if opened else None)
            move(turn, said.status)
            turn.language, turn.answered_at = said.language.value, now
            turn.ranking = as_json(said.ranking)
            if said.ranking:
                turn.topic, turn.confidence = said.ranking[0].topic, said.ranking[0].confidence
            _keep(thread, said, opened, now)
            if thread.owner == Owner.STAFF.value or said.opted_out:
                self._checkpoint.end(session, thread, said, now)
            if thread.channel in WINDOWS and thread.opted_out_at is None:
                invitations.release(session, thread.id, now)
            _keep_session(session.get_one(PatientSession, turn.session_id), said)
            session.flush()
            more = threads.next_waiting(session, thread.id) is not None
            if not more:
                threads.drop_lease(session, thread.id, taken.token)
            return more

    def _case_of(self, session: Session, turn: Turn, said: Answer, hours: Hours, now: datetime) -> Opened | None:
        if said.reason is None and said.status is TurnStatus.QUEUED:
            arrived = turn_arrived(session, thread_id=turn.thread_id, turn_id=turn.id, at=now, hours=hours)
            self._record(session, turn, arrived, arrived.case.reason, now)
            return None
        return self._open_case(session, turn, said.reason, now, hours)

    def _open_case(self, session: Session, turn: Turn, code: str | None, now: datetime, hours: Hours) -> Opened | None:
        if code is None:
            return None
        opened = open_case(session, thread_id=turn.thread_id, reason=reason(code), turn_id=turn.id, at=now, hours=hours)
        self._record(session, turn, opened, code, now)
        return opened

    def _link(self, session: Session, thread: Thread, verified: Verified | None, now: datetime) -> None:
        """The case of somebody who has shown who they are concerns that person on file."""
        case = unresolved_case(session, thread.id) if verified else None
        if case is not None and verified is not None and now < verified.until:
            link(session, self._vault, case.id, verified.person_id, Known.VERIFIED, staff_id=None, at=now)

    def _record(self, session: Session, turn: Turn, opened: Opened, code: str, now: datetime) -> None:
        if opened.is_new or opened.reason_is_new:
            kind = "case.opened" if opened.is_new else "case.reopened" if opened.reopened else "case.reason_added"
            content = {"case": opened.case.number, "reason": code, "priority": opened.case.priority, "turn": turn.number}
            subject = f"thread:{turn.thread_id}"
            audit.record(session, at=now, actor="assistant", kind=kind, subject=subject, content=content, vault=self._vault)

    def _reply(self, session: Session, taken: _Taken, turn: Turn, said: Answer, case: Case | None) -> None:
        wait = told(session, case, said.language, self._clock(), published_hours(taken.published.content))
        write_reply(
            session,
            self._vault,
            taken.published,
            Said(
                said.say,
                said.language,
                taken.work.channel,
                said.offer,
                {**said.values, **wait, "case_number": case.number if case else ""},
                _goes_anyway(said),
                said.verified,
            ),
            thread_id=turn.thread_id,
            session_id=turn.session_id,
            turn_id=turn.id,
            at=self._clock(),
        )


def _with_statement(thread: Thread, said: Answer, published: Published, now: datetime) -> Answer:
    """On channels where nothing can be read before the first turn, the first reply says who collects what.

    Not after help in an emergency, and not with the confirmation of a stop: then the next one does.
    """
    is_due = thread.channel in outbox.CHANNELS and thread.statement_at is None and not _goes_anyway(said)
    if not is_due or STATEMENT not in published.content["wordings"]:
        return said
    thread.statement_at = now
    return replace(said, say=(*said.say, STATEMENT))


def _goes_anyway(said: Answer) -> bool:
    """Whether a reply is sent although the patient stopped messages: help, or the answer to the stop itself."""
    return said.opted_out is not None or (said.reason is not None and reason(said.reason).priority == 0)


def _stays_unsaid(thread: Thread, said: Answer) -> bool:
    """Whether somebody asks who has stopped messages: nothing is sent to them, so a person has to see it."""
    is_stopped = thread.opted_out_at is not None and thread.channel in outbox.CHANNELS
    return is_stopped and bool(said.say) and said.say[0] not in SMALL and not _goes_anyway(said)


def _keep(thread: Thread, said: Answer, opened: Opened | None, now: datetime) -> None:
    thread.language = said.language.value
    thread.language_chosen = thread.language_chosen or said.fix_language
    if said.opted_out is not None:
        thread.opted_out_at = now if said.opted_out else None
    if said.owner is not None:
        thread.owner = said.owner.value
    if opened and said.reason and reason(said.reason).takes_over:
        thread.owner = Owner.STAFF.value
    if said.hand_back:
        thread.owner = Owner.BOT.value


def _keep_session(patient_session: PatientSession, said: Answer) -> None:
    patient_session.misses = said.misses
    patient_session.engine_turns += said.asked_engine
    if patient_session.engine_turns >= threads.RENEW_ENGINE_KEY_AFTER or said.hand_back or said.status is TurnStatus.FAILED:
        patient_session.engine_key, patient_session.engine_turns = threads.new_engine_key(), 0


def _place(unexpected: Exception) -> str:
    frame = unexpected.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    return f"{frame.tb_frame.f_code.co_name}:{frame.tb_lineno}" if frame else "unknown"
