"""A patient to speak as in tests, an engine to stand in for the real one at its one seam, a small publication."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from itertools import count
from typing import Any, cast

from bot.answering import Mind
from bot.assembly import Application
from bot.base.database import Database, writing_now
from bot.base.errors import EngineError
from bot.base.languages import Language
from bot.base.settings import REPOSITORY, Settings
from bot.base.tasks import Doorbell, make_huey
from bot.base.vault import BlindIndex, Vault
from bot.conversations import threads
from bot.conversations.engine import Deed, Engine, Guess, Understanding
from bot.conversations.reading.safety import Lexicon
from bot.conversations.speaking import publication
from bot.conversations.transcript import TURN_TEXT, Line, lines_after
from bot.inbox import Inbox
from tests.make import FakeClock

SPOKEN = (
    "what_happened",
    "data_types",
    "self_harm",
    "extortion",
    "phishing_clicked",
    "possible_self_harm",
    "apology",
    "clarify",
    "not_understood",
    "hand_over",
    "hand_over_urgent",
    "still_with_team",
    "not_here_yet",
    "out_of_scope",
    "attacker_claim",
    "empty_turn",
    "choice_expired",
    "language_chosen",
    "choose_language",
    "opted_out",
    "opted_in",
    "not_known_yet",
    "english_only_note",
    "private_details",
    "speak_human",
    "back_to_assistant",
    "greeting",
    "collection_statement",
)


def small_content(**changed: Any) -> dict[str, Any]:
    """A content in which every text is its own name and language, so that a test sees what was said."""
    wordings = {
        name: {
            "level": "public",
            "label": {language.value: f"{name} button {language.value}" for language in Language},
            "next": ["data_types"] if name == "what_happened" else [],
            "texts": {
                language.value: {"text": f"<{name} {language.value}>", "short": f"<{name} short>"} for language in Language
            },
        }
        for name in SPOKEN
    }
    for name in ("hand_over", "hand_over_urgent", "apology"):
        for language in Language:
            wordings[name]["texts"][language.value]["text"] = f"<{name} {language.value} {{{{ case_number }}}}>"
    return {"wordings": wordings, "facts": {}, "contacts": {}, **changed}


def publish(database: Database, content: Mapping[str, Any], at: datetime) -> int:
    """Put a content into force."""
    with database.writing() as session:
        proposed = publication.propose(session, content, by="test author", at=at)
        publication.approve(session, proposed.id, by="test approver", at=at)
        return proposed.id


def understood(topic: str, confidence: float = 0.95, *others: tuple[str, float], do: tuple[Deed, ...] = ()) -> Understanding:
    """What an engine answers when it takes a turn for this topic."""
    ranking = (Guess(topic, confidence), *(Guess(name, sure) for name, sure in others))
    return Understanding((topic,), do, ranking)


class FakeEngine:
    """Answers what it was told to; remembers what it was asked and whether a write transaction was open."""

    def __init__(self, answers: Callable[[str], Understanding | EngineError] | None = None) -> None:
        self.answers = answers or (lambda _: understood("what_happened"))
        self.asked: list[tuple[str, str, str]] = []
        self.pressed: list[tuple[str, str, str]] = []
        self.called_while_writing = False

    def close(self) -> None:
        pass

    def ask(self, key: str, text: str, language: str) -> Understanding:
        self.asked.append((key, text, language))
        return self._answer(text)

    def press(self, key: str, topic: str, language: str) -> Understanding:
        self.pressed.append((key, topic, language))
        return self._answer(topic)

    def _answer(self, words: str) -> Understanding:
        self.called_while_writing |= writing_now()
        answer = self.answers(words)
        if isinstance(answer, EngineError):
            raise answer
        return answer


class Patient:
    """Someone who writes on one thread and reads what comes back."""

    def __init__(self, database: Database, vault: Vault, inbox: Inbox, clock: FakeClock, channel: str = "web") -> None:
        self._database, self._vault, self._inbox, self._clock = database, vault, inbox, clock
        self._ids = count(1)
        with database.writing() as session:
            self.thread_id = threads.open_thread(
                session, channel=channel, address_index=f"i.1.{id(self)}", language="en", at=clock()
            ).id

    def writes(self, text: str, external_id: str | None = None) -> None:
        """Send a turn; nobody has answered it yet."""
        self._store(text, None, external_id)

    def presses(self, choice: str) -> list[str]:
        """Press a button and return the new replies."""
        before = self._last()
        self._store("", choice, None)
        self._inbox.answer(self.thread_id)
        return [line.text for line in self.lines() if line.number > before and line.kind == "reply"]

    def says(self, text: str) -> list[str]:
        """Send a turn, have it answered, and return the new replies."""
        before = self._last()
        self.writes(text)
        self._inbox.answer(self.thread_id)
        return [line.text for line in self.lines() if line.number > before and line.kind == "reply"]

    def lines(self) -> list[Line]:
        """The whole transcript."""
        with self._database.reading() as session:
            return lines_after(session, self._vault, self.thread_id, 0)

    def choices(self) -> dict[str, str]:
        """The buttons under the last reply: label to id."""
        replies = [line for line in self.lines() if line.kind == "reply"]
        return {label: choice for choice, label in replies[-1].choices}

    def _last(self) -> int:
        lines = self.lines()
        return lines[-1].number if lines else 0

    def _store(self, text: str, choice: str | None, external_id: str | None) -> None:
        with self._database.writing() as session:
            threads.store_turn(
                session,
                self.thread_id,
                external_id=external_id or f"turn-{next(self._ids)}",
                sealed_text=self._vault.seal(text, TURN_TEXT),
                choice=choice,
                at=self._clock(),
            )


def make_inbox(database: Database, vault: Vault, clock: FakeClock, engine: FakeEngine, lexicon: Lexicon) -> Inbox:
    """An inbox over a real database with a stand-in engine."""
    return Inbox(database, vault, Mind(engine, lexicon), publication.Library(), clock)


def make_application(
    settings: Settings, database: Database, vault: Vault, index: BlindIndex, clock: FakeClock, engine: FakeEngine
) -> Application:
    """An application over this database whose engine is a stand-in."""
    library = publication.Library()
    mind = Mind(engine, Lexicon.load(REPOSITORY / "data" / "safety.yml"))
    return Application(
        settings=settings,
        clock=clock,
        database=database,
        vault=vault,
        index=index,
        doorbell=Doorbell(make_huey(settings)),
        engine=cast("Engine", engine),
        library=library,
        inbox=Inbox(database, vault, mind, library, clock),
    )
