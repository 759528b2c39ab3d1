"""The identity check, step by step: what a turn does to it, and what is said.

Runs within the inbox's transaction that concludes the turn. Whether what was typed is on file changes no word, no button, no
statement, no keyed hash and no queued row; it changes only what these rows hold.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.lifecycle import move
from bot.base.vault import BlindIndex, Vault
from bot.conversations.models import Owner
from bot.conversations.post.arrivals import ADDRESS
from bot.identity import codes, limits, places, state, words
from bot.identity.models import Check, CheckStatus, Ending, How, Way
from bot.identity.steps import Asked, Outcome, Step, Tools
from bot.patients import references
from bot.patients.finding import Found

MISREAD_MOST = 8
"""Texts that are no reference, after which the check ends."""
GIVE_UP = ("verify_no_access", "verify_cancel")
PLACES = ("verify_by_mobile", "verify_by_email", *GIVE_UP)
AFTERWARDS = ("verify_start", "verify_no_access")


class Identity:
    """The identity check with its keys and limits; safe to share between threads."""

    def __init__(
        self,
        vault: Vault,
        index: BlindIndex,
        rules: limits.Limits | None = None,
        new_code: Callable[[], str] = codes.new_code,
    ) -> None:
        self.vault, self.index, self.rules = vault, index, rules or limits.Limits()
        self._tools = Tools(vault, index, self.rules, new_code)

    def answer(self, session: Session, asked: Asked) -> Outcome:
        """Take one step; raises nothing for odd input, only the database's errors."""
        check = state.current(session, asked.thread.id)
        match asked.step:
            case Step.LOG_OUT:
                return self._stop(session, asked, Ending.LOGGED_OUT, "verify_ended")
            case Step.CANCEL:
                return self._stop(session, asked, Ending.CANCELLED, "verify_cancelled")
            case Step.NO_ACCESS:
                return self._no_access(session, asked)
        if check is None or asked.step in (Step.START, Step.DEED) or check.status == CheckStatus.VERIFIED:
            return self._begin(session, asked, check)
        way = {Step.MOBILE: Way.MOBILE, Step.EMAIL: Way.EMAIL}.get(asked.step)
        return self._wanted(session, asked, check, way) if way else self._read(session, asked, check)

    # ------------------------------------------------------------ the ends

    def _stop(self, session: Session, asked: Asked, because: Ending, said: str) -> Outcome:
        state.end(session, self.vault, asked.thread.id, because, asked.at)
        return Outcome((said,), ("verify_start",), Owner.BOT)

    def _no_access(self, session: Session, asked: Asked) -> Outcome:
        state.end(session, self.vault, asked.thread.id, Ending.NO_ACCESS, asked.at)
        return Outcome(("verify_no_access",), (), Owner.BOT, reason="identity_offline")

    def _too_many(self, session: Session, asked: Asked, check: Check, said: str = "verify_too_many") -> Outcome:
        state.over(session, self.vault, check, Ending.TOO_MANY, asked.at)
        return Outcome((said,), AFTERWARDS, Owner.BOT)

    # ------------------------------------------------------------ the beginning

    def _begin(self, session: Session, asked: Asked, check: Check | None) -> Outcome:
        known = state.verified_person(session, asked.session_id, asked.at)
        if known is not None and asked.step in (Step.START, Step.DEED):
            return Outcome(() if asked.deed else ("verify_done",), (), Owner.BOT, deed=asked.deed)
        if check is not None:
            state.over(session, self.vault, check, Ending.ANEW, asked.at)
        by = {"thread_id": asked.thread.id, "network": asked.network, "at": asked.at}
        new = Check(
            thread_id=asked.thread.id,
            session_id=asked.session_id,
            network=asked.network,
            deed=asked.deed or (check.deed if check else ""),
            started_at=asked.at,
        )
        too_much = limits.guessed_too_much(session, self.rules, **by)  # type: ignore[arg-type]
        session.add(new)
        session.flush()
        state.note(session, self.vault, new, "started", asked.at, deed=new.deed)
        if too_much:
            state.note(session, self.vault, new, "limited", asked.at, limit="guesses")
            return self._too_many(session, asked, new, "verify_limit")
        person_id = self._writes_from(session, asked, None)
        if person_id is not None:
            return self._proven(session, asked, new, person_id, How.WHATSAPP)
        return Outcome(("verify_intro",), GIVE_UP)

    def _writes_from(self, session: Session, asked: Asked, found: places.File | None) -> int | None:
        """The one person on whose number a WhatsApp turn came: of all, or of those that what was typed may mean.

        WhatsApp's provider vouches for the number; nobody vouches for the sender of an SMS or an e-mail.
        """
        entries = self._entries_of_line(asked) if asked.thread.channel == "whatsapp" else []
        if not entries:
            return None
        persons = found or places.file_of(session, entries, Found.PHONE)
        holding = [person.id for person in persons.persons if any(point.entry in entries for point in persons.points[person.id])]
        return holding[0] if len(holding) == 1 and len(persons.persons) == 1 else None

    def _entries_of_line(self, asked: Asked) -> list[str]:
        """The keyed hashes of the address from which this line's turns come; none in the web."""
        if not asked.thread.sealed_address:
            return []
        found = Found.EMAIL if asked.thread.channel == "email" else Found.PHONE
        try:
            return self.index.every(found, self.vault.open(asked.thread.sealed_address, ADDRESS))
        except BadInput:
            return []

    # ------------------------------------------------------------ the middle

    def _read(self, session: Session, asked: Asked, check: Check) -> Outcome:
        """A text while the check waits for something."""
        match check.status:
            case CheckStatus.CODE:
                return self._code(session, asked, check)
            case CheckStatus.WHICH:
                return self._which(session, asked, check)
        if check.status == CheckStatus.PLACE and (named := words.way(asked.text)):
            return self._wanted(session, asked, check, Way(named))
        return self._subject(session, asked, check)

    def _subject(self, session: Session, asked: Asked, check: Check) -> Outcome:
        """The reference, or a contact by which we wrote; kept as hashes, and not looked up before a code is asked for."""
        subject = words.subject(asked.text)
        try:
            entries = self.index.every(subject.kind, subject.value) if subject else []
        except BadInput:
            entries = []
        if subject is None or not entries:
            if check.status == CheckStatus.PLACE:
                return Outcome(("verify_where",), PLACES)
            return self._misread(session, asked, check)
        check.subject, check.subject_kind = entries, subject.kind
        if check.status != CheckStatus.PLACE:
            move(check, CheckStatus.PLACE)
        if asked.thread.channel == "whatsapp" and subject.kind == references.KIND:
            person_id = self._writes_from(session, asked, places.file_of(session, entries, subject.kind))
            if person_id is not None:
                return self._proven(session, asked, check, person_id, How.WHATSAPP)
        return Outcome(("verify_where",), PLACES)

    def _misread(self, session: Session, asked: Asked, check: Check) -> Outcome:
        check.misread += 1
        if check.misread >= MISREAD_MOST:
            return self._too_many(session, asked, check)
        return Outcome(("verify_reference_unreadable",), GIVE_UP)

    def _wanted(self, session: Session, asked: Asked, check: Check, way: Way) -> Outcome:
        """A code is asked for: every step of this is taken for nobody as well."""
        if not check.subject or check.status == CheckStatus.WHICH:
            return Outcome(("verify_which_person" if check.subject else "verify_intro",), GIVE_UP)
        found, is_theirs = places.file_or_decoy(session, check.subject, check.subject_kind)
        place = places.place_of(found, check.subject, check.subject_kind, way, self.vault, self.rules.countries)
        place = place if is_theirs else None
        entries = self._entries_of_line(asked)  # made for nobody as well
        own = place is not None and place.point.entry in entries
        by = {"thread_id": check.thread_id, "network": asked.network, "own": own}
        full = limits.reached(session, self.rules, **by, subject=check.subject[0], at=asked.at)  # type: ignore[arg-type]
        if full:
            state.note(session, self.vault, check, "limited", asked.at, limit=full)
            return Outcome(("verify_limit",), GIVE_UP)
        armed = codes.queue(session, self._tools, check, place, way, asked, own=own)
        state.note(session, self.vault, check, "code_queued", asked.at, way=way.value, on_file=place is not None, armed=armed)
        if check.status != CheckStatus.CODE:
            move(check, CheckStatus.CODE)
        return Outcome(("verify_code_sent",), PLACES, values=codes.VALUES)

    def _code(self, session: Session, asked: Asked, check: Check) -> Outcome:
        typed = words.code(asked.text)
        if typed is None:
            named = words.way(asked.text)
            if named:
                return self._wanted(session, asked, check, Way(named))
            subject = words.subject(asked.text)
            if subject is None or subject.kind != references.KIND:
                return Outcome((self._still_waiting(check, asked),), PLACES, values=codes.VALUES)
            check.code_entry = None
            move(check, CheckStatus.PLACE)
            return self._subject(session, asked, check)
        if check.wait_until and asked.at < check.wait_until:
            return Outcome(("verify_code_wait",), PLACES, values=codes.minutes(check.wait_until - asked.at))
        if check.code_until is None or asked.at >= check.code_until:
            return Outcome(("verify_code_expired",), PLACES)
        if codes.fits(self.index, check, typed):
            return self._right(session, asked, check)
        return self._wrong(session, asked, check)

    @staticmethod
    def _still_waiting(check: Check, asked: Asked) -> str:
        """What is said to who writes something else than a code: after a while, that none may come by that way."""
        if check.code_until is None or asked.at >= check.code_until:
            return "verify_code_expired"
        return "verify_code_overdue" if asked.at >= check.code_until - codes.GOOD_FOR + codes.OVERDUE else "verify_code_sent"

    def _wrong(self, session: Session, asked: Asked, check: Check) -> Outcome:
        check.wrong += 1
        check.wait_until = asked.at + codes.wait(check.wrong)
        session.flush()
        state.note(session, self.vault, check, "wrong_code", asked.at, tries=check.wrong)
        if check.wrong >= codes.TRIES:
            return self._too_many(session, asked, check)
        by = {"thread_id": check.thread_id, "network": asked.network, "at": asked.at}
        if limits.guessed_too_much(session, self.rules, **by):  # type: ignore[arg-type]
            state.note(session, self.vault, check, "limited", asked.at, limit="guesses")
            return self._too_many(session, asked, check, "verify_limit")
        return Outcome(("verify_code_wrong",), PLACES)

    def _right(self, session: Session, asked: Asked, check: Check) -> Outcome:
        check.code_entry = None  # it works once
        if check.person_id is not None:
            return self._proven(session, asked, check, check.person_id, How(check.way or ""))
        move(check, CheckStatus.WHICH)
        return Outcome(("verify_which_person",), GIVE_UP)

    def _which(self, session: Session, asked: Asked, check: Check) -> Outcome:
        """Several share the contact that was proven: the reference says which of them is asking."""
        subject = words.subject(asked.text)
        if subject is None or subject.kind != references.KIND or not check.contact_point_id:
            return self._misread(session, asked, check)
        found = places.file_of(session, self.index.every(subject.kind, subject.value), subject.kind)
        holding = codes.holders_of(session, found, check)
        if len(holding) != 1:
            return self._misread(session, asked, check)
        return self._proven(session, asked, check, holding[0], How(check.way or ""))

    def _proven(self, session: Session, asked: Asked, check: Check, person_id: int, how: How) -> Outcome:
        move(check, CheckStatus.VERIFIED)
        check.person_id, check.how, check.verified_at = person_id, how.value, asked.at
        state.note(session, self.vault, check, "verified", asked.at, person=person_id, how=how.value)
        codes.tell_elsewhere(session, check, asked)
        return Outcome(("verify_done",), ("verify_log_out",), Owner.BOT, deed=check.deed)
