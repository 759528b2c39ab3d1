"""The small language of data/safety.yml: how a phrase is written there, and how it is found in a text.

    want to die            these words, one after the other (capitals, accents, apostrophes and doubled letters do not matter)
    want to … die          a gap: up to five words or twelve characters of the same sentence
    (kill|hurt) myself     one of several; [really] may be missing; famil* has any ending; <family> is a list named in the file
    = stalker              the sentence says only this

Chinese needs no spaces, and traditional, simplified and usual Cantonese spellings are one. Between two parts of a phrase
there may stand a word that says how, when or how politely, but never whether (`_FILLERS`). A phrase becomes a regular
expression whose parts are all bounded, so that looking for it takes time in proportion to the text.
"""

import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from bot.base.errors import BadInput
from bot.base.text import fold
from bot.base.text.han import TO_SIMPLIFIED

_START, _END = r"(?<![a-z0-9])", r"(?![a-z0-9])"
KEPT = 256  # phrases made ready to be looked for: there are two thousand, of 11 kB each, and most are hardly ever needed
MOST_GAPS = 3
PLURAL = 4  # a word of so many letters may have an s more

# Spellings that stand for one another in what people type: Cantonese words written with a character of the same sound, letters of
# other alphabets that look Latin, marks that split a word ("su1cide" is read by `_unleet`).
_SAME = str.maketrans("左既吾畀比训系响野无著揾啦嘞唿您", "咗嘅唔俾俾瞓喺喺嘢冇着搵喇喇呼你") | str.maketrans(
    "аеорсухіѕјԁɡ", "aeopcyxisjdg"
)
_LEET = str.maketrans("0134578@$!", "oieastbasi")
_LEET_WORD = re.compile(r"(?<![a-z0-9])(?=[a-z0-9@$!]*[a-z])[a-z@$!][a-z013457@$!]*[013457@$!][a-z][a-z0-9@$!]*")
_SINGLE = re.compile(r"(?<![a-z0-9])[a-z](?:[\W_]{1,2}[a-z](?![a-z0-9])){2,}")
_DOUBLED = re.compile(r"([a-z])\1+")
_APOSTROPHE = re.compile(r"['’‘`´]")
_ENDS = re.compile(r"[。！？!?;；]+|(?<!\.)\.(?=\s|$)")
_SEPARATORS = re.compile(r"[\W_]+")
CHUNK, STEP = 480, 360  # a longer sentence is read in pieces that overlap


def letters(text: str) -> str:
    """A text or phrase in the one spelling in which they are compared; keeps punctuation."""
    text = fold(text)
    if not text.isascii():
        text = text.translate(TO_SIMPLIFIED).translate(_SAME).translate(TO_SIMPLIFIED)
        text = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    text = _APOSTROPHE.sub("", text)
    return _DOUBLED.sub(r"\1", text)


def _unleet(match: re.Match[str]) -> str:
    return match[0].translate(_LEET)


@dataclass(frozen=True)
class Sentence:
    """One sentence in the spelling of `letters`, and the same without anything between its letters."""

    text: str
    bare: str

    def without(self, spans: Iterable[tuple[int, int]]) -> "Sentence":
        """The sentence with holes, which no phrase reaches across, at these places of its text."""
        text, last = "", 0
        for start, end in sorted(spans):
            text += self.text[last:start] + " ¦¦¦¦¦¦ " if end > last else ""
            last = max(last, end)
        text += self.text[last:]
        return Sentence(text, _SEPARATORS.sub("", text))


def sentences(text: str) -> list[Sentence]:
    """The different sentences of a text, long ones in overlapping pieces."""
    text = fold(text.replace("\n", "。").replace("\r", "。"))
    text = _SINGLE.sub(lambda match: _SEPARATORS.sub("", match[0]), _LEET_WORD.sub(_unleet, text))
    pieces: dict[str, None] = {}
    for sentence in _ENDS.split(letters(text)):
        for start in range(0, max(1, len(sentence) - (CHUNK - STEP)), STEP):
            pieces[sentence[start : start + CHUNK].strip()] = None
    return [Sentence(piece, _SEPARATORS.sub("", piece)) for piece in pieces if piece]


# Words that change nothing between two parts of a phrase: aspect, politeness, emphasis.
_FILLERS = {
    "en": "just really actually literally fucking bloody honestly please pls kinda so very now also still basically even already",
    "zh": "咗 緊 過 晒 曬 住 着 了 埋 返 番 都 就 又 仲 還 已 已經 啱啱 而家 現在 剛剛 真係 真的 好似 可能 突然 一直 成日",
    "tl": "po ho na pa nga naman kasi daw raw lang lamang ba din rin yata ata pala talaga muna",
    "id": "sudah udah udh sdh lagi sedang ya dong sih kok deh kak pak bu dok nih lah kan tadi barusan baru saja aja terus banget",
}


@dataclass(frozen=True)
class _Joints:
    """What may stand between the letters of a Chinese word, between two parts, and in a gap."""

    inner: str
    outer: str
    gap: str


def _joints(fillers: str, separator: str) -> _Joints:
    each = [letters(filler) for filler in fillers.split()]
    han = "|".join(map(re.escape, (f for f in each if f >= "\u3400")))
    latin = "|".join(f for f in each if f < "\u3400")
    plain = separator + "{0,5}"
    outer = plain
    if han:
        outer += rf"(?:(?:{han}){separator}{{0,2}}){{0,2}}"
    if latin:
        outer += rf"(?:{_START}(?:{latin}){_END}{separator}{{1,3}}){{0,2}}"
    return _Joints(separator + "{0,2}", outer, rf"(?:(?:{plain}[a-z0-9]++){{0,5}}?|(?:{plain}\w){{0,12}}?)")


_ANY, _SAME_CLAUSE = r"[\W_]", r"[^\w,:()~…—–，、：（）「」【】]"  # nobody's look-alike reaches across a comma
_JOINTS = {
    (tag, clause): _joints(_FILLERS.get(tag, ""), _SAME_CLAUSE if clause else _ANY)
    for tag in ("", *_FILLERS)
    for clause in (False, True)
}


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    is_han: bool
    open_end: bool = False

    def regex(self, after_word: bool, before_word: bool, joints: _Joints) -> str:
        if self.is_han:
            return joints.inner.join(map(re.escape, self.text))
        start = "" if after_word else _START
        end = "s?" if len(self.text) >= PLURAL and self.text[-1] != "s" else ""  # pains, throat's
        return start + re.escape(self.text) + ("[a-z0-9]*+" if self.open_end else end if before_word else end + _END)


@dataclass(frozen=True)
class _Choice:
    ways: tuple["_Sequence", ...]
    optional: bool

    @cached_property
    def need(self) -> frozenset[str] | None:
        """Of these a sentence must hold at least one; None when there is no such set."""
        each = [max(_needs(way), key=_says_most, default=None) for way in self.ways]
        return None if self.optional or None in each else frozenset().union(*(need for need in each if need))


_Sequence = tuple[_Word | _Choice | None, ...]  # a phrase as read: words, gaps (None) and choices
_TOKEN = re.compile(r"\s+|(?P<gap>…|\.\.\.)|(?P<list><[a-z_]+>)|(?P<sign>[()\[\]|])|(?P<word>[^\s…<>()\[\]|]+)")
_WORD = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]+|[^\W_\u3400-\u9fff\U00020000-\U0003ffff]+\*?")
_BRACKETS = {"(": ")", "[": "]"}


class _Reader:
    """Reads one phrase; what is wrong is said in words for the person who edits the file."""

    def __init__(self, phrase: str, lists: Mapping[str, str]) -> None:
        self.phrase, self.lists = phrase, lists
        self.tokens = [match for match in _TOKEN.finditer(phrase) if match.lastgroup]
        if sum(match.end() - match.start() for match in _TOKEN.finditer(phrase)) != len(phrase):
            raise BadInput("'<' and '>' may only stand around the name of a list, like <family>")
        self.position = 0

    def read(self) -> _Sequence:
        ways = self._ways(None)
        return ways[0] if len(ways) == 1 else (_Choice(ways, optional=False),)

    def _ways(self, closing: str | None) -> tuple[_Sequence, ...]:
        ways: list[_Sequence] = []
        parts: list[_Word | _Choice | None] = []
        while self.position < len(self.tokens):
            token = self.tokens[self.position]
            self.position += 1
            if token[0] == closing or token[0] == "|":
                ways.append(self._way(parts))
                parts = []
                if token[0] == closing:
                    return tuple(ways)
            else:
                parts += self._part(token)
        if closing:
            raise BadInput(f"a bracket is opened and never closed with '{closing}'")
        return (*ways, self._way(parts))

    def _way(self, parts: list[_Word | _Choice | None]) -> _Sequence:
        if not parts:
            raise BadInput("there is nothing between two of '(', '|', ')' (for words that may be missing write [words])")
        return tuple(parts)

    def _part(self, token: re.Match[str]) -> list[_Word | _Choice | None]:
        if token.lastgroup == "gap":
            return [None]
        if token.lastgroup == "sign":
            if token[0] not in _BRACKETS:
                raise BadInput(f"'{token[0]}' closes a bracket that was never opened")
            return [_Choice(self._ways(_BRACKETS[token[0]]), token[0] == "[")]
        if token.lastgroup == "list":
            if token[0][1:-1] not in self.lists:
                raise BadInput(f"there is no list called {token[0]} under 'lists:'")
            return [_listed(self.lists[token[0][1:-1]])]
        words = _WORD.findall(_APOSTROPHE.sub("", token[0]))
        if not words:
            raise BadInput(f"'{token[0]}' has no letter in it")
        return [_Word(sys.intern(letters(w.rstrip("*"))), w[0] >= "\u3400", w.endswith("*")) for w in words]


@lru_cache(maxsize=256)
def _listed(ways: str) -> _Choice:
    """The choice that a list stands for: read once, since hundreds of phrases share it."""
    return _Choice(_Reader(ways, {})._ways(None), optional=False)


def _regex(parts: _Sequence, joints: _Joints) -> str:
    out = ""
    for i, part in enumerate(parts):
        joint = joints.outer if i else ""
        if part is None:
            out += joints.gap
        elif isinstance(part, _Word):
            around = (parts[i - 1] if i else None, parts[i + 1] if i + 1 < len(parts) else None)
            latin = [isinstance(p, _Word) and not p.is_han and not p.open_end for p in around]
            out += joint + part.regex(latin[0], latin[1], joints)
        else:
            ways = "|".join(_regex(way, joints) for way in part.ways)
            out += f"(?:{joint}(?:{ways}))?" if part.optional else f"{joint}(?:{ways})"
    return out


def _needs(parts: _Sequence) -> list[frozenset[str]]:
    """What a sentence must hold for the phrase to be possible: of each set at least one."""
    needs: list[frozenset[str]] = []
    for part in parts:
        if isinstance(part, _Word):
            needs.append(frozenset({part.text}))
        elif part and part.need is not None:
            needs.append(part.need)
    return needs


def _says_most(need: frozenset[str]) -> int:
    return min(map(len, need))


@dataclass(frozen=True, eq=False)
class Phrase:
    """A phrase of the file that can be looked for."""

    source: str
    lists: Mapping[str, str]
    needs: tuple[frozenset[str], ...]
    alone: bool  # the sentence says nothing else
    joints: _Joints

    @classmethod
    def read(cls, source: str, lists: Mapping[str, str], *, language: str = "", in_one_clause: bool = False) -> "Phrase":
        """Reads a phrase; BadInput says what is wrong with it."""
        alone = source.startswith("=")
        parts = _Reader(source.removeprefix("="), lists).read()
        if sum(part is None for part in parts) > MOST_GAPS:
            raise BadInput(f"a phrase may have {MOST_GAPS} gaps, this one has more")
        if parts[0] is None or parts[-1] is None:
            raise BadInput("a phrase may not begin or end with a gap")
        needs = _needs(parts)
        if not needs or (max(min(map(len, need)) for need in needs) < 2 and all(n.isascii() for need in needs for n in need)):
            raise BadInput("a phrase needs at least one word of two letters that may not be missing")
        return cls(source, lists, tuple(needs), alone, _JOINTS[language[:2], in_one_clause])

    @property
    def key(self) -> frozenset[str]:
        """The need that says most."""
        return max(self.needs, key=_says_most)

    def found_in(self, sentence: Sentence) -> bool:
        """Whether the sentence has the phrase."""
        return self.possible_in(sentence) and _pattern(self).search(sentence.text) is not None

    def possible_in(self, sentence: Sentence) -> bool:
        """Whether the sentence has the words of the phrase one after the other; cheap."""
        bare, end = sentence.bare, 0
        for need in self.needs:
            ends = [place + len(word) for word in need if (place := bare.find(word, end)) >= 0]
            if not ends:
                return False
            end = min(ends)
        return True

    def spans(self, sentence: Sentence) -> list[tuple[int, int]]:
        """Where in the sentence's text the phrase is."""
        return [match.span() for match in _pattern(self).finditer(sentence.text)]


@lru_cache(maxsize=KEPT)
def _pattern(phrase: Phrase) -> re.Pattern[str]:
    regex = _regex(_Reader(phrase.source.removeprefix("="), phrase.lists).read(), phrase.joints)
    made = re.compile(rf"^[\W_]*(?:{regex})[\W_]*$" if phrase.alone else regex)
    re.purge()  # else Python keeps the last five hundred of them too
    return made
