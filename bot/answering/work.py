"""What passes between the inbox and answering: a waiting turn with all its answer depends on, and what is to be done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.base.languages import Language
from bot.conversations import choices
from bot.conversations.engine import AsksEngine, Guess
from bot.conversations.models import Owner, TurnStatus
from bot.conversations.reading.safety import Lexicon
from bot.conversations.speaking.levels import Verified
from bot.identity.steps import Step


@dataclass(frozen=True)
class Work:
    """One waiting turn with what its answer depends on."""

    turn_id: int
    text: str
    channel: str
    language: Language
    language_chosen: bool
    owner: Owner
    engine_key: str
    misses: int
    content: Mapping[str, Any]
    pressed: choices.Chosen | None = None
    is_press: bool = False
    last_choices: tuple[dict[str, str], ...] = ()
    known_reasons: frozenset[str] = frozenset()
    attempts: int = 0
    attached: str = ""  # the kind of what came with it and is not opened
    keyword: str = ""  # what the provider took the whole text for
    is_awaited: bool = False  # an earlier answer was kept until this turn and goes out with it
    verified: Verified | None = None  # who is asking, where that was shown in this session
    surge: bool = False  # more patients write than the desk can answer
    call_times: tuple[str, ...] = ()  # choices that book a call, while it is so


@dataclass(frozen=True)
class Answer:
    """What is to be done about a turn: wordings to say in order, choices to offer, changes to keep."""

    language: Language
    say: tuple[str, ...] = ()
    offer: tuple[str, ...] = ()
    reason: str | None = None
    mark: str | None = None
    """A further reason, for which a person reads the conversation later and which changes nothing else."""
    topics: tuple[str, ...] = ()
    """Topics that are answered; none when nothing was understood or nothing had to be."""
    status: TurnStatus = TurnStatus.ANSWERED
    misses: int = 0
    ranking: tuple[Guess, ...] = ()
    asked_engine: bool = False
    fix_language: bool = False
    opted_out: bool | None = None
    hand_back: bool = False
    identity: Step | None = None
    """A step of the identity check; what is said follows from the rows and is decided when the turn is concluded."""
    deed: str = ""
    """What is to be carried out when the turn is concluded; it may say other wordings than these."""
    details: Mapping[str, str] = field(default_factory=dict)
    call: str = ""
    """The choice by which a call is booked or given up when the turn is concluded."""
    values: Mapping[str, str] = field(default_factory=dict)
    owner: Owner | None = None
    verified: Verified | None = None


@dataclass(frozen=True)
class Mind:
    """What answering needs: the engine, the words of danger and the numbers that may stay readable."""

    engine: AsksEngine
    lexicon: Lexicon
    official: frozenset[str] = field(default_factory=frozenset)
    hurried: AsksEngine | None = None
    """The engine asked with less patience, for turns in which words of danger were found: help must not wait for it."""
