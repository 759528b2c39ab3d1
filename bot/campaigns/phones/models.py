"""The rows of calls: each try and what came of it. No number lies here."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key, one_of


class Outcome(StrEnum):
    """What came of a call."""

    TOLD = "told"  # the person was told
    NO_ANSWER = "no_answer"  # nobody answered, or engaged
    VOICEMAIL = "voicemail"  # a recording; nothing of the incident was said on it
    CALL_BACK = "call_back"  # asked to be rung again
    LANGUAGE = "language"  # somebody who speaks another language has to ring
    REFUSED = "refused"  # did not want to hear it
    WRONG_NUMBER = "wrong_number"  # somebody else has this number
    DECEASED = "deceased"  # it was said that the person has died
    DEAD_LINE = "dead_line"  # the number is not in use


class PhoneAttempt(Base):
    """One call of the team; only ever added."""

    __tablename__ = "phone_attempts"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    by: Mapped[str] = mapped_column(String(60))
    outcome: Mapped[str] = mapped_column(String(14))
    again_at: Mapped[datetime | None]  # not before then

    __table_args__ = (one_of("outcome", Outcome), {"sqlite_autoincrement": True})
