"""Links, domains and telephone numbers in a text, held against those that are ours. Pure: looks nothing up and opens nothing."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.base.languages import Language
from bot.base.text import plain
from bot.conversations.speaking import wording

MOST = 200
"""Addresses of one text that are judged."""
NEAR = 2
"""Letters by which a name may differ from ours and still be made to look like it."""

_SIGN = r"[^\W_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
_LABEL = rf"(?:{_SIGN}(?:(?:{_SIGN}|[-_]){{0,62}}{_SIGN})?)"
# Chinese stands before and after an address without a space, so it is no part of one.
_HOST = re.compile(
    rf"(?<!{_SIGN})(?<![.@-])(?P<scheme>h(?:tt|xx)ps?\W{{1,4}}|www\.)?(?P<before>[!-;=?A-~]{{1,120}}@)?"
    rf"(?P<host>(?:{_LABEL}[.。．｡]){{1,8}}(?P<top>xn--[a-z0-9-]{{2,59}}|{_SIGN}{{2,24}})|(?:\d{{1,3}}\.){{3}}\d{{1,3}})"
    rf"(?!{_SIGN}|-)(?P<after>[/?:])?",
    re.IGNORECASE,
)
_TOPS = frozenset(
    ("com", "net", "org", "info", "biz", "xyz", "top", "site", "online", "shop", "club", "vip", "live", "app", "dev", "link",
     "click", "icu", "hk", "cn", "tw", "sg", "my", "ph", "id", "uk", "us", "io", "co", "me", "cc", "tv", "ly", "gov", "edu",
     "asia", "web", "store", "cloud", "work", "world", "life", "fun", "space", "pro", "mobi", "ru", "eu", "example", "香港")
)  # fmt: skip
"""Ends by which a bare name in a sentence is taken for an address; after `https`, before a slash or an @ every end is."""
_NUMBER = re.compile(r"(?<![\w.])\+?\d[\d \-\u2010-\u2013()]{6,20}\d(?![\w])")
_DATE = re.compile(r"(?<!\d)(?:(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d)(?!\d)")
_SHORTENERS = frozenset(
    ("bit.ly", "tinyurl.com", "t.co", "goo.gl", "is.gd", "ow.ly", "cutt.ly", "rb.gy", "t.ly", "shorturl.at", "rebrand.ly",
     "buff.ly", "lnkd.in", "s.id", "reurl.cc", "t.cn", "dwz.cn", "url.cn", "tiny.cc", "v.gd", "qrco.de", "wa.link")
)  # fmt: skip
_SECOND_LEVEL = frozenset(("com", "co", "org", "net", "gov", "edu", "ac", "idv", "ltd"))
# Cyrillic, Armenian, Greek and phonetic letters beside the Latin ones they look like (Unicode TR 39, confusables).
_LOOK = str.maketrans(
    "\u0430\u0501\u0435\u04bb\u0456\u0458\u04cf\u043e\u0440\u0441\u051b\u0455\u051d\u0445\u0443\u043a\u043c\u0442\u0432\u043d\u0261\u03b1\u03bf\u03b9\u03ba\u03bd\u03c1\u03c4\u03c5\u03c7\u03b7\u03c9\u0131"
    "0135|8",
    "adehijlopcqswxykmtbhgaoikvptuxnwiolesib",
)


@dataclass(frozen=True)
class Official:
    """What is ours by the published facts: domains, and numbers as digits."""

    domains: frozenset[str]
    numbers: frozenset[str]

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Official:
        """Read them out of a publication; help lines of Hong Kong count as known numbers and sites."""
        domains = _spoken(content, "facts", "official_domains", "enquiry_email")
        numbers = _spoken(content, "facts", "official_sender_numbers", "hotline", "urgent_doctor_line")
        contacts = " ; ".join(_spoken(content, "contacts", *content.get("contacts", {})).split("\n"))
        ours = {host for _, host in _hosts(f"{domains}\n{contacts}")}
        return cls(frozenset(ours), frozenset(_digits(match[0]) for match in _NUMBER.finditer(f"{numbers}\n{contacts}")))

    def owns(self, host: str) -> bool:
        """Whether a host is one of ours or below one."""
        return any(host == domain or host.endswith(f".{domain}") for domain in self.domains)


def judged_addresses(text: str, official: Official) -> tuple[bool, bool]:
    """Whether a text holds an address that is not ours, and one that imitates ours or hides where it leads."""
    foreign = lookalike = False
    for before, host in _hosts(text):
        if official.owns(host):
            continue
        foreign = True
        lookalike |= _hides(before, host) or any(_imitates(host, domain) for domain in official.domains)
    return foreign, lookalike


def foreign_numbers(text: str, official: Official) -> bool:
    """Whether a text holds a telephone number that is not among ours."""
    shown = _DATE.sub(" , ", plain(text))
    for place, match in enumerate(_NUMBER.finditer(shown)):
        digits = _digits(match[0])
        if place >= MOST or (8 <= len(digits) <= 15 and digits not in official.numbers):
            return True
    return False


def _hosts(text: str) -> Iterator[tuple[str, str]]:
    """What stands before an @ in front of each host, and the host."""
    found = 0
    for match in _HOST.finditer(text):
        host = re.sub("[。．｡]", ".", match["host"]).casefold()
        top, before = (match["top"] or "").casefold(), match["before"] or ""
        if match["scheme"] or match["after"] or before or not top or top in _TOPS or top.startswith("xn--"):
            found += 1
            yield before, host
        if found >= MOST:
            return


def _hides(before: str, host: str) -> bool:
    """Whether an address does not show where it leads: shortened, punycode, foreign letters, bare digits, a name before an @."""
    named_before = before.count("://") > 0 or bool(re.search(r"\.(?:com|hk|org|net|example)[^@]*@", before, re.IGNORECASE))
    return host in _SHORTENERS or "xn--" in host or not host.isascii() or host.replace(".", "").isdigit() or named_before


def _imitates(host: str, domain: str) -> bool:
    """Whether a host looks like one of ours without being it: letters of the same look, a letter more, our name inside."""
    ours, theirs = _look(_name(domain)), _look(host)
    if len(ours) < 4:
        return False
    labels = [label for label in re.split(r"[.-]", theirs) if label]
    return ours in theirs.replace("-", "").replace(".", "") or any(
        _distance(label, ours) <= min(NEAR, len(ours) // 4) for label in labels
    )


def _name(domain: str) -> str:
    """The part of a domain that was chosen: `larkmoor` of `www.larkmoor.com.hk`."""
    labels = domain.split(".")
    while len(labels) > 2 and labels[0] == "www":
        labels = labels[1:]
    return labels[-3] if len(labels) > 2 and labels[-2] in _SECOND_LEVEL else labels[-2] if len(labels) > 1 else labels[0]


def _look(text: str) -> str:
    """What a name looks like at a glance: signs of the same look made one."""
    bare = "".join(sign for sign in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(sign))
    return bare.translate(_LOOK).replace("l", "i").replace("rn", "m").replace("vv", "w")


def _distance(one: str, other: str) -> int:
    """Insertions, deletions and replacements between two short names; a large number when their lengths tell already."""
    if abs(len(one) - len(other)) > NEAR:
        return NEAR + 1
    row = list(range(len(other) + 1))
    for place, sign in enumerate(one, start=1):
        before, row[0] = row[0], place
        for at, its in enumerate(other, start=1):
            before, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, before + (sign != its))
    return row[-1]


def _digits(text: str) -> str:
    digits = re.sub(r"\D", "", text)
    return digits[3:] if len(digits) == 11 and digits.startswith("852") else digits


def _spoken(content: Mapping[str, Any], section: str, *names: str) -> str:
    values = [content.get(section, {}).get(name, {}).get("value") for name in names]
    return "\n".join(wording.spoken(value, Language.EN) for value in values if value is not None)
