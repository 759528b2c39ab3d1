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
from bot.identity import state, words
from bot.identity.flow import Identity
from bot.identity.models import Ending
from bot.identity.steps import Asked, Outcome, Step, Tells


class Checkpoint:
    """The identity check as the inbox uses it; without `identity` nobody can be verified."""

    def __init__(self, vault: Vault, official: frozenset[str], identity: Identity | None, tell: Tells | None) -> None:
        self._vault, self._official, self._identity, self._tell = vault, official, identity, tell

    def mask(self, session: Session, work: Work, turn: Turn, said: Answer, now: datetime) -> None:
        """Codes and references do not stay in the transcript, wherever they were typed."""
        if work.is_press:
            return
        is_open = state.code_open(session, turn.thread_id, now)
        official, checking = self._official, said.identity is Step.WORDS
        kept = words.kept(work.text, checking=checking, code_open=is_open, official=official)
        if kept != work.text:
            turn.sealed_text = self._vault.seal(kept, TURN_TEXT)

    def identified(self, session: Session, thread: Thread, turn: Turn, work: Work, said: Answer, now: datetime) -> Answer:
        """The answer with what the identity check says, if the turn is for it, and with what is then told."""
        if said.identity is None or self._identity is None or turn.session_id is None:
            return said
        network = session.get_one(PatientSession, turn.session_id).network
        asked = Asked(said.identity, thread, turn.session_id, network, said.language, now, work.text, said.deed)
        outcome = self._identity.answer(session, asked)
        told = self._told(session, turn, outcome, said.language, now)
        owner = told.owner if told and outcome.owner is Owner.BOT else outcome.owner
        verified = state.verified_person(session, turn.session_id, now)
        said = replace(
            said,
            say=(*said.say, *outcome.say, *(told.say if told else ())),
            offer=(told and told.offer) or outcome.offer,
            values={**outcome.values, **(told.values if told else {})},
            reason=(told and told.reason) or outcome.reason,
            owner=owner,
            verified=verified,
        )
        return speakable(said, work.content, is_verified=verified is not None)

    def _told(self, session: Session, turn: Turn, outcome: Outcome, language: Language, now: datetime) -> Outcome | None:
        """What somebody verified hears of what they asked for; None when nothing was."""
        session.flush()
        verified = state.verified_person(session, turn.session_id or 0, now)
        if not outcome.deed or verified is None:
            return None
        if self._tell is None:
            return Outcome(("not_here_yet",), owner=Owner.BOT)
        return self._tell(session, verified, outcome.deed, thread_id=turn.thread_id, language=language, at=now)

    def end(self, session: Session, thread: Thread, said: Answer, now: datetime) -> None:
        """Nobody stays verified when the team takes over; who stops messages cannot get a code."""
        state.end(session, self._vault, thread.id, Ending.CANCELLED if said.opted_out else Ending.STAFF, now)
        if thread.owner == Owner.VERIFYING.value:
            thread.owner = Owner.BOT.value
