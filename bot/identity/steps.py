"""The shapes that pass between the inbox and the identity check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from bot.base.languages import Language
from bot.base.vault import BlindIndex, Vault
from bot.conversations.models import Owner, Thread
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


@dataclass(frozen=True)
class Tools:
    """What codes are made with."""

    vault: Vault
    index: BlindIndex
    limits: Limits
    new_code: Callable[[], str]
