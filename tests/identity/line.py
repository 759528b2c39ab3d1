"""A thread on which somebody takes steps of the check, without an inbox around it."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.base.languages import Language
from bot.conversations import threads
from bot.conversations.models import Owner, Thread
from bot.identity.flow import Identity
from bot.identity.steps import Asked, Outcome, Step
from tests.make import FakeClock


class Line:
    """One thread on which somebody takes steps of the check, without an inbox around it."""

    def __init__(self, session: Session, identity: Identity, clock: FakeClock, network: str) -> None:
        self._identity, self._clock, self._network = identity, clock, network
        name = f"line of {network}"
        self.thread_id = threads.open_thread(session, channel="web", address_index=name, language="en", at=clock()).id
        self.session_id = threads.session_for(session, self.thread_id, clock()).id

    def takes(self, session: Session, step: Step, text: str = "") -> Outcome:
        """One step."""
        thread = session.get_one(Thread, self.thread_id)
        asked = Asked(step, thread, self.session_id, self._network, Language.EN, self._clock(), text)
        outcome = self._identity.answer(session, asked)
        thread.owner = outcome.owner.value
        session.flush()
        return outcome

    def asks(self, session: Session, reference: str) -> str:
        """From the beginning to a code; returns what was said last."""
        if self.takes(session, Step.START).owner is not Owner.VERIFYING:
            return "verify_limit"
        self.takes(session, Step.WORDS, reference)
        return self.takes(session, Step.MOBILE).say[0]

    def guesses(self, session: Session, reference: str, code: str) -> str:
        """Try one code, on a new check where the last has ended."""
        thread = session.get_one(Thread, self.thread_id)
        if thread.owner != Owner.VERIFYING.value and self.asks(session, reference) != "verify_code_sent":
            return "verify_limit"
        return self.takes(session, Step.WORDS, code).say[0]
