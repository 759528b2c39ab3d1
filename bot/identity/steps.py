"""The shapes that pass between the inbox and the identity check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from sqlalchemy.orm import Session

from bot.base.languages import Language
from bot.base.vault import BlindIndex, Vault
from bot.conversations.models import Owner, Thread
from bot.conversations.speaking.levels import Verified
from bot.identity.limits import Limits


class Step(StrEnum):
    """What a turn means to the check."""

    START = "verify_start"
    DEED = "deed"  # something was asked that only a verified person gets
    WORDS = "words"
    MOBILE = "verify_by_mobile"
    EMAIL = "verify_by_email"
    NO_ACCESS = "verify_no_access"
    CANCEL = "verify_cancel"
    LOG_OUT = "verify_log_out"


CHOICES = {step.value: step for step in Step if step.value.startswith("verify_")}
"""The choices that are for the check, whoever owns the thread."""
DEEDS = frozenset({"am_i_affected", "my_notices", "my_case", "resend_notice", "change_contact", "stop_messages"})
"""What only a verified person gets."""


@dataclass(frozen=True)
class Asked:
    """One turn as the check gets it."""

    step: Step
    thread: Thread
    session_id: int
    network: str | None
    language: Language
    at: datetime
    text: str = field(default="", repr=False)
    deed: str = ""


@dataclass(frozen=True)
class Outcome:
    """What to say and what becomes of the thread; `deed` is what somebody who is verified asked for."""

    say: tuple[str, ...]
    offer: tuple[str, ...] = ()
    owner: Owner = Owner.VERIFYING
    values: Mapping[str, str] = field(default_factory=dict)
    reason: str | None = None
    deed: str = ""


class Tells(Protocol):
    """Carries a deed out for somebody who is verified; given to the inbox, which may ask the desk and campaigns."""

    def __call__(
        self, session: Session, verified: Verified, deed: str, *, thread_id: int, language: Language, at: datetime
    ) -> Outcome:
        """What to say, within the transaction that concludes the turn."""


@dataclass(frozen=True)
class Tools:
    """What codes are made with."""

    vault: Vault
    index: BlindIndex
    limits: Limits
    new_code: Callable[[], str]
