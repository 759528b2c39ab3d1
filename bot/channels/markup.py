"""The words of an HTML e-mail, read in one pass: whatever is in it costs what it is long.

The standard library's parser looks to the end of the text again at every tag that is not closed, which a hostile e-mail
of 200 KB turns into minutes.
"""

from __future__ import annotations

import html
import re
import string

BLOCKS = frozenset({"p", "div", "br", "li", "tr", "h1", "h2", "h3", "h4", "blockquote"})
"""Elements that begin a line."""
SILENT = frozenset({"head", "title", "blockquote"})
"""Elements whose words are not the writer's: an earlier e-mail is quoted in one of them."""
RAW = frozenset({"script", "style"})
"""Elements in which nothing is markup until their own end."""
VALUE_MOST = 2_000
"""Characters of a quoted value of an attribute."""

_NAME = re.compile(r"/?([A-Za-z][A-Za-z0-9]{0,30})")
_STOP = re.compile(r"[>\"']")
_SMALL = {ord(sign): sign.lower() for sign in string.ascii_uppercase}
"""Other signs become longer in small letters, and every place behind them would be another one."""


def words(text: str) -> str:
    """The words of a page, a line for every block; what is quoted or hidden in it is left out."""
    reader = _Reader(text)
    reader.read()
    return "\n".join(line.strip() for line in "".join(reader.pieces).split("\n")).strip()


class _Reader:
    def __init__(self, text: str) -> None:
        self.pieces: list[str] = []
        self._text, self._small = text, text.translate(_SMALL)
        self._place = 0
        self._silent: list[str] = []

    def read(self) -> None:
        """Go through the text once."""
        while self._place < len(self._text):
            at = self._text.find("<", self._place)
            self._say(self._place, at if at >= 0 else len(self._text))
            if at < 0:
                return
            self._place = at + 1
            self._markup()

    def _say(self, begins: int, ends: int) -> None:
        if not self._silent and begins < ends:
            said = self._text[begins:ends]
            try:
                self.pieces.append(html.unescape(said))
            except ValueError:  # a sign's number of thousands of digits
                self.pieces.append(said)

    def _markup(self) -> None:
        """What stands after a `<`: a comment, a tag, or a plain sign."""
        if self._text.startswith("!--", self._place):
            self._past("-->", self._place + 3)
        elif self._text.startswith(("!", "?"), self._place):
            self._past(">", self._place)
        elif name := _NAME.match(self._text, self._place):
            self._tag(name[1].lower(), is_end=self._text[self._place] == "/", after=name.end())
        else:
            self._say(self._place - 1, self._place)

    def _tag(self, name: str, *, is_end: bool, after: int) -> None:
        self._place = self._end_of_tag(after)
        if name in BLOCKS and not is_end and not self._silent:
            self.pieces.append("\n")
        if name in SILENT:
            self._silence(name, is_end=is_end)
        elif name in RAW and not is_end:
            ends = self._small.find(f"</{name}", self._place)
            self._place = ends if ends >= 0 else len(self._text)

    def _silence(self, name: str, *, is_end: bool) -> None:
        if not is_end:
            self._silent.append(name)
        elif self._silent:
            self._silent.pop()

    def _past(self, mark: str, begin: int) -> None:
        found = self._small.find(mark, begin)
        self._place = found + len(mark) if found >= 0 else len(self._text)

    def _end_of_tag(self, place: int) -> int:
        """After its `>`, which does not count inside a quoted value."""
        while stop := _STOP.search(self._text, place):
            place = stop.end()
            if stop[0] == ">":
                return place
            closing = self._text.find(stop[0], place, place + VALUE_MOST)
            place = closing + 1 if closing >= 0 else place
        return len(self._text)
