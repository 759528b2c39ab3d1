"""What an error means for a campaign: one person's, everybody's, or nothing yet."""

from __future__ import annotations

from datetime import timedelta

from bot.channels.failures import Fate, failure

CONTENT = frozenset({"21617", "21656", "30007", "30111", "63016", "63021", "413"})
"""Codes that speak of the text: whoever gets it next would meet the same."""
EQUAL = 3
"""Equal errors about the text after which a campaign stops."""
AGAIN = {
    **dict.fromkeys(("30003", "30036", "63017", "63018"), 3),
    **dict.fromkeys(("30001", "30008", "30500"), 2),
}
"""Failures that may pass, with the tries in all that they are worth."""
AGAIN_AFTER = timedelta(hours=12)


def is_account(code: str) -> bool:
    """Whether a reported failure speaks of our account or settings."""
    return code.isdecimal() and len(code) == 5 and failure(int(code)).fate is Fate.ACCOUNT
