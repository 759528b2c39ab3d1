"""Words that act before anything is understood: stop and start messages.

They count only as the whole text, and only on channels on which we write first; "please stop calling
me" is a sentence for the assistant or a person, not a keyword. English words as the carriers know
them (CTIA Messaging Principles; Twilio's default opt-out keywords), Chinese as Hong Kong senders use them.
"""

from __future__ import annotations

from enum import StrEnum

from bot.base.text import fold

CHANNELS = frozenset({"sms", "whatsapp"})
"""Where stop and start are keywords."""

_OUT = frozenset(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "optout", "revoke", "td"}
    | {"退訂", "退订", "取消訂閱", "取消订阅", "停止", "取消", "停止接收", "停止發送", "停止发送", "取消接收", "拒收", "退出"}
    | {"退訂短訊", "退订短信", "停止訂閱", "停止订阅", "停止短訊", "停止短信", "退訂通知", "退订通知"}
)
_IN = frozenset({"start", "unstop", "subscribe", "訂閱", "订阅", "恢復", "恢复", "重新訂閱", "重新订阅", "恢復接收", "恢复接收"})
_YES = frozenset(
    {"yes", "y", "ok", "okay", "yes please", "please", "send", "send it", "hi", "hello"}
    | {"是", "好", "要", "係", "系", "得", "好的", "可以", "是的", "好呀", "請傳送", "请发送", "你好"}
    | {"oo", "opo", "sige", "ya", "iya", "boleh", "baik"}
)
_AROUND = ".!?,'\"。！？，「」『』“”"


class Keyword(StrEnum):
    """What a keyword asks for."""

    OPT_OUT = "opt_out"  # no more notices to this address
    OPT_IN = "opt_in"  # notices may come again


def keyword(text: str, channel: str) -> Keyword | None:
    """The keyword that a whole text is, or None."""
    if channel not in CHANNELS:
        return None
    # Folded: full-width letters, invisible signs and capitals make no other word.
    word = fold(text[:80]).strip(_AROUND).replace("-", "").replace(" ", "")
    if word in _OUT:
        return Keyword.OPT_OUT
    return Keyword.OPT_IN if word in _IN else None


def is_assent(text: str) -> bool:
    """Whether a text says only: yes, I am here; a sign without words does."""
    words = fold(text[:80]).strip(_AROUND + " ")
    return len(text) <= 80 and (words in _YES or not any(sign.isalnum() for sign in words))
