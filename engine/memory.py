"""The engine's memory of conversations: recent, in this process only, and safe to lose.

Nothing that matters lives here: the application keeps turns, ownership and verification. The
trackers hold what patients wrote, so they are bounded by count and by age and never written out.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from rasa.core.brokers.broker import EventBroker
from rasa.core.tracker_store import TrackerStore
from rasa.shared.core.domain import Domain
from rasa.shared.core.trackers import DialogueStateTracker

from engine.recent import Recent


class BoundedMemory(TrackerStore):
    """Rasa's tracker store over a `Recent`; `most` conversations, `seconds` since the last turn."""

    def __init__(
        self,
        domain: Domain | None = None,
        event_broker: EventBroker | None = None,
        *,
        most: int = 2000,
        seconds: float = 2400.0,
        events: int = 600,
        **rest: Any,
    ) -> None:
        super().__init__(domain, event_broker)
        self._events = events
        self._recent: Recent[DialogueStateTracker] = Recent(most=most, seconds=seconds, clock=time.monotonic)

    async def save(self, tracker: DialogueStateTracker) -> None:
        """Remember the tracker; one that grew past the bound of events starts anew next time."""
        if len(tracker.events) > self._events:
            self._recent.forget(tracker.sender_id)
            return
        self._recent.put(tracker.sender_id, tracker)

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        """The living tracker of a conversation, not a copy: Rasa's lock gives it to one turn."""
        return self._recent.get(sender_id)

    async def keys(self) -> Iterable[str]:
        """Keys of all conversations remembered."""
        return list(self._recent)

    def forget(self, sender_id: str) -> None:
        """Drop a conversation whose turn failed half-way."""
        self._recent.forget(sender_id)
