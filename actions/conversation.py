"""What concerns the conversation itself and needs no proof of who is writing."""

from __future__ import annotations

from actions.deed import Deed


class StopMessages(Deed):
    """Send no more notices to this line, or take that back."""

    deed = "stop_messages"


class CheckMessage(Deed):
    """Whether something the patient received can be ours."""

    deed = "check_message"


class ChooseLanguage(Deed):
    """Offer the languages as buttons."""

    deed = "choose_language"


class Clarify(Deed):
    """Nothing fits: offer what was nearly understood, and a person."""

    deed = "clarify"
    says = ("clarify",)
