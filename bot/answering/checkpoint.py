"""Where the identity check meets the turn that is being concluded: what it says, what is then told, what is masked.

Everything here runs within the inbox's transaction, so that a check and its answer are kept together or not at all.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from bot.answering import Answer, Work, speakable
from bot.base.languages import Language
from bot.base.vault import Vault
from bot.conversations.models import Owner, PatientSession, Thread, Turn
from bot.conversations.transcript import TURN_TEXT
from bot.deeds.carrying import Deeds
from bot.deeds.shapes import START
from bot.deeds.shapes import Asked as DeedAsked
from bot.identity import state, words
from bot.identity.flow import Identity
from bot.identity.models import Ending
from bot.identity.steps import Asked, Outcome, Step


class Checkpoint:
    """The identity check and the deeds as the inbox uses them; without `identity` nobody can be verified."""

    def __init__(self, vault: Vault, official: frozenset[str], identity: Identity | None, deeds: Deeds | None) -> None:
        self._vault, self._official, self._identity, self._deeds = vault, official, identity, deeds

    def mask(self, session: Session, work: Work, turn: Turn, said: Answer, now: datetime) -> None:
        """Codes and references do not stay in the transcript, wherever they were typed."""
        if work.is_press:
            return
        is_open = state.code_open(session, turn.thread_id, now)
        official, checking = self._official, said.identity is Step.WORDS
        kept = words.kept(work.text, checking=checking, code_open=is_open, official=official)
        if kept != work.text:
            turn.sealed_text = self._vault.seal(kept, TURN_TEXT)

    def decided(self, session: Session, thread: Thread, turn: Turn, work: Work, said: Answer, now: datetime) -> Answer:
        """The answer with what the identity check says and what comes of a deed; raises NotPublished."""
        if turn.session_id is None or self._identity is None or not (said.identity or said.deed):
            return said
        patient_session = session.get_one(PatientSession, turn.session_id)
        if said.identity:
            said = self._step(session, thread, patient_session, work, said, now)
        else:
            said = self._deed(session, thread, patient_session, work, said, now)
        session.flush()
        verified = state.verified_person(session, patient_session.id, now) or said.verified
        return speakable(replace(said, verified=verified), work.content, is_verified=verified is not None)

    def _step(
        self, session: Session, thread: Thread, patient_session: PatientSession, work: Work, said: Answer, now: datetime
    ) -> Answer:
        if said.identity is None or self._identity is None:
            return said
        wanted, network = patient_session.wanted or "", patient_session.network
        asked = Asked(said.identity, thread, patient_session.id, network, said.language, now, work.text, wanted)
        outcome = self._identity.answer(session, asked)
        session.flush()
        told = self._told(session, thread, patient_session, outcome, said.language, now)
        return replace(
            said,
            say=(*outcome.say, *(told.say if told else ())),
            offer=(told and told.offer) or outcome.offer,
            values={**outcome.values, **(told.values if told else {})},
            reason=(told and told.reason) or outcome.reason,
            owner=outcome.owner,
        )

    def _told(
        self,
        session: Session,
        thread: Thread,
        patient_session: PatientSession,
        outcome: Outcome,
        language: Language,
        now: datetime,
    ) -> Outcome | None:
        """What somebody just verified hears of what they had asked for; None when that was nothing."""
        verified = state.verified_person(session, patient_session.id, now)
        if not outcome.deed or verified is None or self._deeds is None:
            return None
        patient_session.wanted = None
        return self._deeds.tell(session, verified, outcome.deed, thread_id=thread.id, language=language, at=now)

    def _deed(
        self, session: Session, thread: Thread, patient_session: PatientSession, work: Work, said: Answer, now: datetime
    ) -> Answer:
        """What comes of a deed; who has to show first who is asking is offered that, and the wish is remembered."""
        if self._deeds is None:
            return replace(said, say=said.say or ("not_here_yet",))
        verified = state.verified_person(session, patient_session.id, now)
        done = self._deeds.carry_out(
            session,
            DeedAsked(said.deed, thread.id, thread.channel, said.language, work.content, now, verified, said.details, work.text),
        )
        say = done.say or said.say
        if verified is None and START in done.offer:
            patient_session.wanted = said.deed
            say = (*say, START)
        return replace(
            said,
            say=say or ("not_here_yet",),
            offer=tuple(dict.fromkeys((*done.offer, *said.offer))),
            values=done.values,
            reason=done.reason or said.reason,
            opted_out=done.opted_out,
            verified=verified,
        )

    def end(self, session: Session, thread: Thread, said: Answer, now: datetime) -> None:
        """Nobody stays verified when the team takes over; who stops messages cannot get a code."""
        state.end(session, self._vault, thread.id, Ending.CANCELLED if said.opted_out else Ending.STAFF, now)
        if thread.owner == Owner.VERIFYING.value:
            thread.owner = Owner.BOT.value
