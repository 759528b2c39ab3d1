"""What a patient's text means while an identity check runs: read here by rule, since none of it may reach the engine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from bot.base.text import fold, plain
from bot.conversations.reading import guard
from bot.patients import references
from bot.patients.finding import Found


class Wish(StrEnum):
    """What a text asks for, whatever the check is waiting for."""

    PERSON = "person"  # somebody of the team
    CANCEL = "cancel"  # no check after all
    LOG_OUT = "log_out"  # the verified state shall end
    NO_ACCESS = "no_access"  # the contacts on file cannot be used any more


@dataclass(frozen=True, repr=False)
class Subject:
    """What was typed to find a file by: a reference, or a contact by which we wrote."""

    kind: str
    value: str


_PERSON = re.compile(
    r"\b(?:human|real (?:person|one|people)|live (?:agent|person|chat)|agents?|representative|operator|(?:a|your) staff"
    r"|staff member|somebody|someone|a person|not a (?:bot|robot|machine)|customer service|call me"
    r"|(?:speak|talk|chat)(?: to| with)? (?:a|an|the|your)? ?(?:person|people|doctor|nurse|manager|man|woman)"
    r"|totoong tao|kausap(?:in)? (?:na |ng |ang )?tao|tao po|makausap|ahente|kawani"
    r"|manusia|petugas|staf|orang asli|bicara (?:dengan|sama) orang|ngomong sama orang|operatornya|admin|cs)\b"
    r"|真人|人工|職員|职员|客服|專人|专人|同事|搵人|找人|同人講|同人傾|有冇人|有没有人|有沒有人|不要機械人|不要机器人",
)
_NO_ACCESS = re.compile(
    r"lost (?:my|the) (?:phone|mobile|sim)|(?:phone|mobile) (?:is|was|got) (?:lost|stolen|broken)"
    r"|(?:changed|new) (?:my )?(?:phone )?number|no (?:longer )?(?:access|have (?:that|the|this))"
    r"|(?:have|got) no (?:mobile|phone|e-?mail)|can(?:no|')?t (?:get into|open) my e-?mail"
    r"|電話唔見|唔見咗(?:部)?(?:電話|手機)|手機不見|丟了手機|换了号码|換了號碼|換咗(?:號碼|電話|number)|手机丢|没有手机|沒有手機"
    r"|冇手機|冇電話|冇電郵|登入唔到電郵"
    r"|nawala(?: ang| yung)? (?:phone|cellphone|cp|sim)|nagpalit (?:ako )?ng number|walang (?:phone|cellphone|e-?mail)"
    r"|(?:hp|ponsel|nomor)(?: saya)? hilang|ganti nomor|tidak punya (?:hp|ponsel|e-?mail)|gak punya (?:hp|e-?mail)"
)


def _listed(words: str) -> frozenset[str]:
    return frozenset(fold(word) for word in words.split(","))


_CANCEL = _listed(
    """cancel, stop, quit, exit, back, go back, end, never mind, nevermind, forget it, stop the check, i changed my mind,
    no thanks, 取消, 停止, 停, 算了, 算啦, 算数, 算數, 不核實, 唔核實, 不核實了, 唔核實喇, 不核实了, 不用了, 唔使喇, 唔使啦, 返回,
    停止核實, 停止核实, kanselahin, huwag na, wag na, itigil, tigil, ayoko na, hindi na, balik,
    batal, batalkan, berhenti, tidak jadi, gak jadi, nggak jadi, ga jadi, kembali, sudahlah"""
)
_LOG_OUT = _listed(
    """log out, logout, log off, logoff, sign out, signout, log me out, end session, end my session,
    登出, 退出, 退出登錄, 退出登录, 註銷, 注销, 登出帳戶, 結束對話, 结束对话, 签退,
    mag-log out, mag log out, maglog out, mag-logout, i-log out, lumabas, labas na,
    keluar, log keluar, keluar akun, keluar dari sesi, akhiri sesi"""
)
_MOBILE = _listed(
    """mobile, phone, sms, text, text me, to the mobile, cell, cellphone, 手機, 手机, 電話, 电话, 短訊, 短信, 發到手機, 发到手机,
    sa mobile, hp, ponsel, ke ponsel, telepon"""
)
_EMAIL = _listed(
    """email, e-mail, mail, to the e-mail, to the email, 電郵, 电邮, 邮箱, 電子郵件, 邮件, 發到電郵, 发到邮箱,
    sa e-mail, sa email, ke e-mail, ke email, surel"""
)
_AROUND = " .!?,'\"。！？，、「」『』“”~"
_SIX = re.compile(r"(?<![\d+])(\d{3})[ \-‐‑–]?(\d{3})(?!\d)")
_SIX_APART = re.compile(r"(?<![\d+])(?<!\d[ \-‐‑–])\d(?:[ \-‐‑–]?\d){5}(?![ \-‐‑–]?\d)")
_HAN = "〇零一二三四五六七八九"
_HAN_SIX = re.compile(rf"(?<![{_HAN}])[{_HAN}](?: ?[{_HAN}]){{5}}(?! ?[{_HAN}])")
_HAN_DIGITS = str.maketrans(_HAN, "00123456789")
_NEAR_CODE = re.compile(r"(?<!\d)(?:\d[ \-]?){4,8}(?!\d)")
_TWO_FIVES = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{5}[ \-]{1,3}[0-9A-Za-z]{5}(?![0-9A-Za-z])")
_SIGNS = re.compile(r"(?<![0-9A-Za-z])[0-9A-Za-z]{3,24}(?![0-9A-Za-z])")
_ADDRESS = re.compile(r"[^\s@<>()\[\],;:]{1,64}@[^\s@<>()\[\],;]{1,190}\.[^\s@<>()\[\],;.]{2,24}")
_CARD = re.compile(r"(?<![A-Za-z])[A-Za-z]{1,2} ?\d{6} ?\([\dAa]\)")
_NUMBER = re.compile(r"(?:\+|00)?\(?\d[\d \-‐‑–().]{5,22}\d")
CODE_TOKEN = "⟦code⟧"  # noqa: S105 - what stands in a text instead of a code


def _first_line(text: str) -> str:
    # Below it an e-mail has a signature and what it answers.
    lines = [line for line in text.splitlines() if line.strip()]
    return fold(lines[0][:120]).strip(_AROUND) if lines else ""


def logs_out(text: str) -> bool:
    """Whether the whole text asks to be logged out."""
    return _first_line(text) in _LOG_OUT


def wish(text: str) -> Wish | None:
    """What the text asks for beside answering the check's question; a person before all else."""
    # Without references, addresses and numbers: "agent" in somebody's e-mail address is no wish.
    words = fold(guard.mask(references.hidden(text[:2000])))
    if _PERSON.search(words):
        return Wish.PERSON
    first = _first_line(text)
    if first in _LOG_OUT:
        return Wish.LOG_OUT
    if first in _CANCEL:
        return Wish.CANCEL
    return Wish.NO_ACCESS if _NO_ACCESS.search(words) else None


def way(text: str) -> str | None:
    """Which of the two ways a text names, `mobile` or `email`."""
    first = _first_line(text)
    return "mobile" if first in _MOBILE else "email" if first in _EMAIL else None


def subject(text: str) -> Subject | None:
    """The reference in a text, or else the e-mail address or number; nothing is looked up for it."""
    shown = plain(text[:2000])
    if reference := references.found_in(shown):
        return Subject(references.KIND, reference)
    if address := _ADDRESS.search(shown):
        return Subject(Found.EMAIL, address[0])
    number = _NUMBER.search(shown)
    return Subject(Found.PHONE, number[0]) if number else None


def code(text: str) -> str | None:
    """The first six digits in a text that stand alone, however they are spaced; Chinese numerals are digits too."""
    # A reference may begin with six digits, an e-mail address hold some, and an identity card's six stand before a bracket.
    shown = _ADDRESS.sub(" ", plain(references.hidden(text[:2000])))
    shown = _CARD.sub(" ", shown)
    if found := _SIX.search(shown) or _SIX_APART.search(shown):
        return re.sub(r"\D", "", found[0])
    found = _HAN_SIX.search(shown)
    return found[0].replace(" ", "").translate(_HAN_DIGITS) if found else None


def kept(text: str, *, checking: bool, code_open: bool, official: frozenset[str] = frozenset()) -> str:
    """The text as it may stay in the transcript: references always hidden, codes while one is open.

    While a check runs (`checking`) also what was mistyped, and every number and address.
    """
    if not text:
        return text
    shown = references.hidden(text)
    if code_open:
        shown = _HAN_SIX.sub(CODE_TOKEN, _SIX_APART.sub(CODE_TOKEN, _SIX.sub(CODE_TOKEN, plain(shown))))
    if not checking:
        return shown
    shown = _NEAR_CODE.sub(CODE_TOKEN, shown) if code_open else shown
    shown = _TWO_FIVES.sub(_token_for_digits, guard.mask(shown, official=official))
    return _SIGNS.sub(_token_for_digits, shown)


def _token_for_digits(match: re.Match[str]) -> str:
    return references.TOKEN if any(sign.isdigit() for sign in match[0]) else match[0]
