"""Calls a person, with the reason."""

from __future__ import annotations

from actions.deed import Deed
from actions.history import Tracker, topic, topics_before
from actions.reasons import reason


class HandOver(Deed):
    """Opens or keeps a case; the application answers with the case number once it is stored."""

    deed = "hand_over"

    def parameters(self, tracker: Tracker) -> dict[str, str]:
        """The reason, from the topic and from what the patient touched before."""
        return {"reason": reason(topic(tracker), topics_before(tracker))}
