"""The words by which whoever reads at a contact says that it is not the person, or that the person has died. Pure.

They count only as the whole of a short text, and only where we write first: "the wrong number of pills" is a question.
"""

from __future__ import annotations

import re
from enum import StrEnum

from bot.base.text import fold
from bot.conversations.post import outbox

LONGEST = 90
"""Characters; a longer text says more than this and is read by the assistant or a person."""


class Disowned(StrEnum):
    """What was said of the person we write to."""

    NOT_ME = "not_me"  # I am not that person; or: it was not I who was verified
    WRONG_NUMBER = "wrong_number"  # this contact never was, or is no longer, the person's
    DIED = "died"  # the person has died


_LEAD = (
    "hi", "hello", "sorry", "excuse me", "pls", "please", "no", "um", "sir", "madam", "po", "maaf", "halo", "hai", "permisi",
    "你好", "您好", "唔好意思", "不好意思", "對唔住", "对不起", "抱歉", "paumanhin", "pasensya", "pasensya na",
)  # fmt: skip
_TAIL = (
    "sorry", "please", "thanks", "thank you", "po", "ok", "ya", "kok", "呀", "啊", "喎", "吖", "嘅", "囉", "了", "的", "謝謝",
    "谢谢", "唔該", "terima kasih", "salamat",
)  # fmt: skip
_GAP = "[ ,.!，。！]{0,3}"
_NOT_ME = (
    r"(?:this|that|it)(?:'s| is| was) not (?:me|for me|mine)",
    r"(?:this|that|it) (?:isn|wasn)'?t (?:me|for me|mine)",
    r"not me",
    r"(?:i am|i'?m) not (?:that|this|the) (?:person|patient|one)",
    r"(?:(?:you|u) (?:have |'?ve )?)?(?:got )?(?:the )?wrong (?:person|guy|lady|man|woman)",
    r"唔係我|不是我|這不是我|这不是我|呢個唔係我",
    r"我唔係(?:佢|呢個人|你哋(?:個)?病人)|我不是(?:他|她|這個人|这个人|本人)",
    r"你?(?:搵|揾|找|認|认)(?:錯|错)(?:咗)?人",
    r"hindi (?:po )?(?:ako|iyan ako|ako iyan|ako iyon|ako yan|ako yun|sa akin)",
    r"maling tao|mali (?:po )?(?:ang|yung) tao",
    r"(?:itu |ini )?bukan saya|(?:saya )?bukan orang(?:nya| itu)|salah orang|bukan untuk saya",
)
_WRONG_NUMBER = (
    r"(?:(?:you|u) (?:have |'?ve )?)?(?:got )?(?:the )?wrong (?:number|num|no|e-?mail|address|phone)",
    r"this (?:number|phone|e-?mail) is not (?:his|hers|theirs)",
    r"this is (?:not|no longer) (?:his|her|their) (?:number|e-?mail|address|phone)",
    r"this is the wrong (?:number|e-?mail|address|phone)",
    r"(?:你)?(?:打|發|发|寄|send)(?:錯|错)(?:咗|了|人)?(?:號碼|電話|電郵|number|人|線)?",
    r"(?:號碼|号码)(?:錯|错|不對|不对)(?:咗|了)?|錯號|错号",
    r"呢個唔係(?:佢|佢哋)(?:嘅)?(?:電話|號碼|電郵)",
    r"(?:這|这)不是(?:他|她)的(?:電話|號碼|電郵|电话|号码|邮箱)",
    r"maling (?:numero|number|e-?mail)|mali (?:po )?(?:ang|yung) (?:numero|number|e-?mail)|wrong number (?:po|kayo)",
    r"salah (?:nomor|sambung|alamat|kirim|e-?mail)|nomor(?:nya)? salah|bukan nomor(?:nya| dia| beliau)",
)
_DIED = (
    r"(?:he|she|my (?:husband|wife|father|mother|dad|mum|mom|son|daughter|brother|sister))(?:'s| is| has)?"
    r"(?: already| just)? (?:dead|died|passed away|deceased)(?: already)?",
    r"(?:this|that|the) (?:person|patient) (?:is dead|(?:has )?died|(?:has )?passed away|is deceased)",
    r"佢(?:已經|已)?(?:死咗|過咗身|過身|去世|離世)",
    r"(?:他|她)(?:已經|已经|已)?(?:去世|過世|过世|離世|离世|不在人世|死)",
    r"(?:這個人|这个人|此人|呢個人|病人)(?:已經|已经|已)?(?:去世|過世|过世|離世|离世|死咗|過咗身|死)",
    r"(?:patay|yumao|namatay|pumanaw) na (?:po )?(?:siya|sya|ang (?:asawa|tatay|nanay|ama|ina|kapatid|anak) ko)",
    r"(?:dia|beliau|orang(?:nya| ini| itu)|(?:suami|istri|ayah|ibu|bapak) saya) (?:sudah|telah|udah) "
    r"(?:meninggal(?: dunia)?|wafat|tiada|mati)",
)


def _whole(patterns: tuple[str, ...]) -> re.Pattern[str]:
    lead, tail = (f"(?:{'|'.join(map(re.escape, words))})" for words in (_LEAD, _TAIL))
    return re.compile(f"(?:{lead}{_GAP}){{0,3}}(?:{'|'.join(patterns)})(?:{_GAP}{tail}){{0,3}}")


_AROUND = " .!?,'\"。！？，、「」『』“”~-"
_SAID = {Disowned.DIED: _whole(_DIED), Disowned.WRONG_NUMBER: _whole(_WRONG_NUMBER), Disowned.NOT_ME: _whole(_NOT_ME)}


def disowned(text: str, channel: str) -> Disowned | None:
    """What a whole short text says of the person we write to, or None; only on channels on which we write first."""
    if channel not in outbox.CHANNELS:
        return None
    # Below the first line an e-mail has a signature and what it answers.
    first = next((line for line in text[:1000].splitlines() if line.strip()), "")
    said = fold(first).replace("\u2019", "'").strip(_AROUND)
    if not said or len(said) > LONGEST:
        return None
    return next((kind for kind, pattern in _SAID.items() if pattern.fullmatch(said)), None)
