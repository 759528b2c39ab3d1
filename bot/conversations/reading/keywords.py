"""Words that act before anything is understood: stop and start messages.

They count only as the whole text, and only on channels on which we write first; "please stop calling
me" is a sentence for the assistant or a person, not a keyword. English words as the carriers know
them (CTIA Messaging Principles; Twilio's default opt-out keywords), Chinese as Hong Kong senders use them.
"""

from __future__ import annotations

from enum import StrEnum

CHANNELS = frozenset({"sms", "whatsapp"})
"""Where stop and start are keywords."""

_OUT = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout"} | {"退訂", "退订", "取消訂閱", "取消订阅", "停止"}
)
_IN = frozenset({"start", "unstop", "subscribe", "訂閱", "订阅", "恢復", "恢复"})


class Keyword(StrEnum):
    """What a keyword asks for."""

    OPT_OUT = "opt_out"  # no more notices to this address
    OPT_IN = "opt_in"  # notices may come again


def keyword(text: str, channel: str) -> Keyword | None:
    """The keyword that a whole text is, or None."""
    if channel not in CHANNELS:
        return None
    word = text.strip().strip(".!。！").replace("-", "").replace(" ", "").casefold()
    if word in _OUT:
        return Keyword.OPT_OUT
    return Keyword.OPT_IN if word in _IN else None
