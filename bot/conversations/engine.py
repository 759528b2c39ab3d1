"""The engine's client: masked text in, names out, or an error that says how it failed.

The engine is another process with other libraries; it may be down, stopped, slow or answer rubbish.
Every such case is one of three errors, raised within the time allowed. After several silent tries in
a row the client rests for a few seconds and fails at once, and after the rest a single try decides,
so that patients are not all kept waiting behind an engine that does not answer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Annotated, Any, Protocol

import httpx
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.base.errors import EngineRubbish, EngineSlow, EngineUnavailable

ANSWER_LIMIT = 64 * 1024
"""Bytes; a larger answer is rubbish."""
REST_AFTER = 3
"""Silent tries in a row after which the client rests."""
REST_S = 5.0


@dataclass(frozen=True)
class Guess:
    """One topic the engine considers, with its confidence between 0 and 1."""

    topic: str
    confidence: float


@dataclass(frozen=True)
class Deed:
    """Something the engine asks the application to do."""

    name: str
    details: Mapping[str, str]


@dataclass(frozen=True)
class Understanding:
    """What the engine made of a turn: wordings to say, deeds to do, topics considered (best first)."""

    say: tuple[str, ...]
    do: tuple[Deed, ...]
    ranking: tuple[Guess, ...]
    danger: tuple[Guess, ...] = ()
    """Emergencies the text may speak of, the likeliest first; () when nobody looked."""
    also: tuple[str, ...] = ()
    """Topics of further questions in the same text."""


class AsksEngine(Protocol):
    """What the inbox needs of an engine; the one seam at which tests put another."""

    def ask(self, key: str, text: str, language: str) -> Understanding:
        """Understand a masked text; raises EngineError."""

    def press(self, key: str, topic: str, language: str) -> Understanding:
        """Follow a topic's rule without understanding anything; raises EngineError."""


class _Guess(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)
    topic: str = Field(max_length=60)
    confidence: float = Field(ge=0, le=1)


class _Answer(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore")
    say: list[str] = Field(max_length=8)
    do: list[dict[str, str]] = Field(max_length=8)
    ranking: list[_Guess] = Field(max_length=10)
    danger: list[_Guess] = Field(default=[], max_length=10)
    also: list[Annotated[str, Field(max_length=60)]] = Field(default=[], max_length=4)


class Engine:
    """A client of the engine's door; safe to share between threads."""

    def __init__(self, url: str, token: str, *, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._client = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"},
            timeout=httpx.Timeout(timeout_s, connect=min(2.0, timeout_s)),
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=32),
            trust_env=False,  # a proxy of the surroundings must never see a turn
        )
        self._lock = Lock()
        self._silent = 0
        self._rests_until = 0.0
        self._trying = False  # after a rest, one at a time

    def ask(self, key: str, text: str, language: str) -> Understanding:
        """Understand a masked text; raises EngineUnavailable, EngineSlow or EngineRubbish."""
        return self._turn({"key": key, "text": text, "lang": language})

    def press(self, key: str, topic: str, language: str) -> Understanding:
        """Follow a topic's rule, as a pressed button asks; raises as `ask` does."""
        return self._turn({"key": key, "topic": topic, "lang": language})

    def healthy(self) -> bool:
        """Whether the engine says that it is ready; never raises."""
        try:
            answer = self._client.get("/webhooks/candour/health", timeout=2.0)
            return answer.status_code == httpx.codes.OK and answer.json().get("ready") is True
        except (httpx.HTTPError, ValueError, AttributeError):
            return False

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _turn(self, body: Mapping[str, str]) -> Understanding:
        self._refuse_while_resting()
        try:
            answer = self._post(body)
        except EngineRubbish:
            self._note(silent=False)
            raise
        except BaseException:
            self._note(silent=True)
            raise
        self._note(silent=False)
        return _read(answer)

    def _post(self, body: Mapping[str, str]) -> bytes:
        # The library's time-out counts from byte to byte; an engine that drips must fail as well.
        deadline = time.monotonic() + self._timeout_s
        received = bytearray()
        try:
            with self._client.stream("POST", "/webhooks/candour/turn", json=body) as answer:
                for piece in answer.iter_bytes():
                    received += piece
                    if len(received) > ANSWER_LIMIT:
                        raise EngineRubbish("The engine's answer is too long.")
                    if time.monotonic() > deadline:
                        raise EngineSlow("The engine's answer did not end in time.")
        except httpx.TimeoutException as slow:
            raise EngineSlow(f"The engine did not answer in time ({type(slow).__name__}).") from None
        except httpx.TransportError as gone:
            raise EngineUnavailable(f"The engine cannot be reached ({type(gone).__name__}).") from None
        if answer.status_code != httpx.codes.OK:
            raise EngineRubbish(f"The engine answered {answer.status_code}.")
        return bytes(received)

    def _refuse_while_resting(self) -> None:
        with self._lock:
            if self._silent < REST_AFTER:
                return
            if self._trying or time.monotonic() < self._rests_until:
                raise EngineUnavailable("The engine did not answer several times; trying again in a moment.")
            self._trying = True

    def _note(self, *, silent: bool) -> None:
        with self._lock:
            self._silent = self._silent + 1 if silent else 0
            self._trying = False
            self._rests_until = time.monotonic() + REST_S


def _read(answer: bytes) -> Understanding:
    try:
        read = _Answer.model_validate_json(answer)
        deeds = tuple(Deed(deed["name"], {k: v for k, v in deed.items() if k != "name"}) for deed in read.do)
    except (ValidationError, KeyError, json.JSONDecodeError):
        # The validation's own text would hold what the engine sent.
        raise EngineRubbish("The engine's answer has the wrong shape.") from None
    if not read.say and not deeds:
        raise EngineRubbish("The engine said nothing.")
    return Understanding(tuple(read.say), deeds, _guesses(read.ranking), _guesses(read.danger), tuple(read.also))


def _guesses(read: list[_Guess]) -> tuple[Guess, ...]:
    return tuple(Guess(guess.topic, guess.confidence) for guess in read)


def as_json(ranking: tuple[Guess, ...]) -> list[dict[str, Any]]:
    """The ranking as it is kept with a turn."""
    return [{"topic": guess.topic, "confidence": round(guess.confidence, 4)} for guess in ranking]
