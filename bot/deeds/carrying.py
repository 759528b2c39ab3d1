"""Deeds about a person's own matters: carried out for who has shown who they are, answered in general for everybody else.

Runs in the transaction that concludes the turn. Nothing here trusts what was typed: the person is the one of the proof, a ward is
looked up among the wards of that person, a new contact is never taken from a text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.languages import Language
from bot.base.vault import BlindIndex, Vault
from bot.conversations.models import Owner, Thread
from bot.conversations.speaking.levels import Verified
from bot.conversations.speaking.publication import Library
from bot.deeds import checking, wrong_person
from bot.deeds.cases import latest_case
from bot.deeds.shapes import FOR_WARDS, START, Asked, Done, choice_for, chosen_deed, of_verified
from bot.deeds.spoken import kinds, notices, people, whom
from bot.desk.models import CaseStatus
from bot.identity.steps import Outcome
from bot.patients.disclosure import may_be_told, wards_to_tell, wish
from bot.patients.finding import particulars
from bot.patients.models import Person
from bot.patients.notices.models import NoticeOnFile

MOST_WARDS = 6
"""Wards that can be chosen; a guardian of more is served by a person."""
GENERAL = {"stop_messages": ("opt_out_messages",), "change_contact": ("contact_update",)}
"""What is said where a deed only offers: the general answer of its topic."""
BACK = "back_to_assistant"
"""Offered where the team takes the thread over."""
NOT_BY_ASSISTANT = Done(("answered_by_person",), offer=(BACK,), reason="personal_answer")


class Deeds:
    """Carries deeds out; safe to share between threads."""

    def __init__(self, vault: Vault, index: BlindIndex, library: Library) -> None:
        self._vault, self._index, self._library = vault, index, library
        self._own: Mapping[str, Callable[[Session, Asked, Person, str], Done]] = {
            "am_i_affected": self._data,
            "my_notices": self._notices,
            "resend_notice": self._resend,
            "stop_messages": self._offer_stop,
            "stop_all_messages": self._stop,
            "resume_messages": self._resume,
            "change_contact": self._offer_change,
            "ask_contact_change": self._change,
            "my_case": self._case,
        }

    def tell(
        self, session: Session, verified: Verified, deed: str, *, thread_id: int, language: Language, at: datetime
    ) -> Outcome:
        """What somebody verified hears of what they asked for, in the form the identity check passes on."""
        name, details = chosen_deed(deed) or (deed, {})
        channel = session.get_one(Thread, thread_id).channel
        content = self._library.current(session, at).content
        asked = Asked(name, thread_id, channel, language, content, at, verified, details)
        done = self.carry_out(session, asked)
        return Outcome(done.say or GENERAL.get(name, ("not_here_yet",)), done.offer, Owner.BOT, done.values, done.reason)

    def carry_out(self, session: Session, asked: Asked) -> Done:
        """Carry a deed out and say what came of it; an empty `Done` for a deed that is not known here.

        Whoever has not shown who they are gets the general answer and the choice to do so: the same for patient and stranger.
        """
        if asked.name == "check_message":
            return Done(checking.findings(session, self._index, asked.content, asked.text))
        if asked.name == wrong_person.DEED:
            return wrong_person.carry_out(session, self._vault, self._index, asked)
        carry = self._own.get(asked.name)
        if carry is None:
            return Done()
        if asked.verified is None:
            return Done(offer=(START,))
        person = self._subject(session, asked)
        if person is None or not may_be_told(session, person):
            self._note(session, asked, person, "referred")
            return NOT_BY_ASSISTANT
        done = carry(session, asked, person, whom(asked.content, asked.language, asked.details.get("place")))
        self._note(session, asked, person, "done")
        return done

    def _subject(self, session: Session, asked: Asked) -> Person | None:
        """Whom the deed is about: the proven person, or a ward of theirs who is on file as such."""
        own_id = asked.verified.person_id if asked.verified else 0
        own = session.get(Person, own_id)
        if "for" not in asked.details:
            return own
        if asked.name not in FOR_WARDS or own is None or not may_be_told(session, own):
            return None
        return next((ward for ward in wards_to_tell(session, own_id) if str(ward.id) == asked.details["for"]), None)

    def _note(self, session: Session, asked: Asked, person: Person | None, what: str) -> None:
        proof = asked.verified
        content = {"deed": asked.name, "by": proof.person_id if proof else None, "about": person.id if person else None}
        kind, subject = f"deed.{what}", f"thread:{asked.thread_id}"
        audit.record(session, at=asked.at, actor="patient", kind=kind, subject=subject, content=content, vault=self._vault)

    # ------------------------------------------------------------ what is on file

    def _data(self, session: Session, asked: Asked, person: Person, about: str) -> Done:
        held = particulars(person, self._vault).categories
        values = {"whom": about, "categories": kinds(asked.content, asked.language, held)}
        return self._with_wards(session, asked, Done(("my_data" if held else "my_data_none",), values, ("notification_status",)))

    def _notices(self, session: Session, asked: Asked, person: Person, about: str) -> Done:
        sent = select(NoticeOnFile).where(NoticeOnFile.person_id == person.id).order_by(NoticeOnFile.sent_on, NoticeOnFile.id)
        rows = session.scalars(sent).all()
        values = {"whom": about, "notices": notices(asked.content, asked.language, asked.channel, rows)}
        again = _same_for("resend_notice", asked)
        return self._with_wards(session, asked, Done(("my_notices" if rows else "my_notices_none",), values, (again,)))

    def _with_wards(self, session: Session, asked: Asked, done: Done) -> Done:
        """The same, and for a guardian who asked for themselves the choice of a ward."""
        wards = self._wards(session, asked)
        if not wards:
            return Done(done.say, done.values, of_verified(done.offer))
        names = people([particulars(ward, self._vault) for ward in wards], asked.language)
        offers = [choice_for(asked.name, ward.id, place) for place, ward in enumerate(wards, start=1)]
        return Done((*done.say, "my_wards"), {**done.values, "wards": names}, of_verified([*offers, *done.offer]))

    def _wards(self, session: Session, asked: Asked) -> Sequence[Person]:
        if "for" in asked.details or asked.verified is None:
            return []
        return wards_to_tell(session, asked.verified.person_id)[:MOST_WARDS]

    # ------------------------------------------------------------ what is asked of us

    def _resend(self, session: Session, asked: Asked, person: Person, about: str) -> Done:
        return Done(("resend_asked",), {"whom": about}, of_verified(()), "notice_resend")

    # A topic is only a guess: what changes something is a choice of its own.

    def _offer_stop(self, session: Session, asked: Asked, person: Person, about: str) -> Done:
        wards = self._wards(session, asked)
        offers = [choice_for("stop_all_messages", ward.id, place) for place, ward in enumerate(wards, start=1)]
        names = {"wards": people([particulars(ward, self._vault) for ward in wards], asked.language)}
        return Done(("opt_out_messages", "my_wards") if wards else (), names, of_verified(["stop_all_messages", *offers]))

    def _stop(self, session: Session, asked: Asked, person: Person, about: str) -> Done:
        wish(session, person.id, stopped=True, at=asked.at)
        return Done(("messages_stopped",), {"whom": about}, of_verified((_same_for("resume_messages", asked),)))

    def _resume(self, session: Session, asked: Asked, person: Person, about: str) -> Done:
        wish(session, person.id, stopped=False, at=asked.at)
        return Done(("messages_resumed",), {"whom": about}, of_verified(()))

    def _offer_change(self, session: Session, asked: Asked, person: Person, about: str) -> Done:
        return Done(offer=of_verified(("ask_contact_change",)))

    def _change(self, session: Session, asked: Asked, person: Person, about: str) -> Done:
        return Done(("change_contact_asked",), {}, (BACK,), "contact_change")

    def _case(self, session: Session, asked: Asked, person: Person, about: str) -> Done:
        case = latest_case(session, person.id, asked.thread_id)
        if case is None:
            return Done(("my_case_none",), {}, of_verified(("speak_human",)))
        said = {CaseStatus.OPEN: "my_case_open", CaseStatus.RESOLVED: "my_case_resolved"}
        name = said.get(CaseStatus(case.status), "my_case_claimed")
        return Done((name,), {"own_case": case.number}, of_verified(("speak_human",)))


def _same_for(deed: str, asked: Asked) -> str:
    """The choice of another deed for the one whom this one is about."""
    if "for" not in asked.details:
        return deed
    return choice_for(deed, int(asked.details["for"]), int(asked.details["place"]))
