"""Bytes to lines: which encoding a file is in, and lines of bounded length.

UTF-8 is proved by the whole file being it; a file that is not must be Big5 from end to end and look like Chinese, or it is
refused with the line at which it stopped making sense. Nothing is ever decoded by leaving out what does not fit.
"""

from __future__ import annotations

import codecs
import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

from bot.base.errors import BadInput

LINE_LIMIT = 64 * 1024
"""Characters of a line; a roster's row has a few hundred."""

_CHUNK = 1 << 20
_NAMES = {
    "utf-8": "UTF-8",
    "utf-8-sig": "UTF-8 with a byte order mark",
    "utf-16-le": "UTF-16 (little-endian)",
    "utf-16-be": "UTF-16 (big-endian)",
    "big5hkscs": "Big5 with the Hong Kong characters",
}
_COMMON_BIG5 = range(0xA4, 0xC7)  # lead bytes of the characters in daily use
_COMMON_SHARE = 0.75


@dataclass(frozen=True)
class Encoded:
    """How a file is written, and what it was when it was looked at."""

    encoding: str
    skip: int  # bytes of a byte order mark
    digest: str  # SHA-256 of the bytes
    size: int

    @property
    def name(self) -> str:
        """The encoding in words."""
        return _NAMES[self.encoding]


def examine(path: Path) -> Encoded:
    """Tell how a file is encoded; raises BadInput when it is none of the encodings we know, or not a file to read."""
    try:
        with path.open("rb") as file:
            return _examine(file)
    except OSError as wrong:
        raise BadInput(f"The file cannot be read ({type(wrong).__name__}).") from None


def _examine(file: BufferedReader) -> Encoded:
    start = file.read(4096)
    if not start:
        raise BadInput("The file is empty.")
    encoding, skip = _marked(start)
    candidates = [encoding] if encoding else ["utf-8", "big5hkscs"]
    furthest = 0
    for candidate in candidates:
        file.seek(skip)
        line = _first_bad_line(file, candidate)
        if not line and (candidate != "big5hkscs" or _looks_like_big5(file)):
            return Encoded(candidate, skip, digest_of(file), file.seek(0, io.SEEK_END))
        furthest = max(furthest, line)
    tried = " nor ".join(_NAMES[name] for name in candidates)
    where = f" It stops making sense on line {furthest}." if furthest else ""
    raise BadInput(
        f"The file is neither {tried}.{where} Perhaps it holds two encodings, or a mainland one (GB 18030): "
        "save it again as CSV UTF-8."
    )


def _marked(start: bytes) -> tuple[str, int]:
    """The encoding by its mark, or UTF-16 without one by its NULs; empty when nothing tells."""
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise BadInput("This is a workbook, not a CSV file: save it as CSV UTF-8.")
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):
        if start.startswith(mark):
            return encoding, len(mark)
    even, odd = start[0::2].count(0), start[1::2].count(0)
    # Latin text in UTF-16 has a NUL in every second byte; a few NULs are an attack or damage, judged later.
    if max(even, odd) > len(start) // 8 and max(even, odd) > 10 * min(even, odd):
        return ("utf-16-be" if even > odd else "utf-16-le"), 0
    return "", 0


def _codec(encoding: str) -> str:
    return "utf-8" if encoding == "utf-8-sig" else encoding


def _first_bad_line(file: BufferedReader, encoding: str) -> int:
    """The line that cannot be decoded, or 0."""
    decoder = codecs.getincrementaldecoder(_codec(encoding))()
    line = 1
    while True:
        chunk = file.read(_CHUNK)
        try:
            decoder.decode(chunk, final=not chunk)
        except UnicodeDecodeError as wrong:
            # `object` is what the decoder held back and the chunk.
            text = wrong.object[: wrong.start].decode(_codec(encoding), "ignore")
            return line + text.count("\n")
        if not chunk:
            return 0
        line += chunk.count(b"\n")


def _looks_like_big5(file: BufferedReader) -> bool:
    """Whether most of its Chinese characters are common ones, as those of another encoding read as Big5 are not."""
    file.seek(0)
    common = other = 0
    for _ in range(4):
        chunk = iter(file.read(_CHUNK))
        for byte in chunk:
            if byte >= 0x80:
                next(chunk, None)
                common += byte in _COMMON_BIG5
                other += byte not in _COMMON_BIG5
    return common >= _COMMON_SHARE * (common + other)


def digest_of(file: BufferedReader) -> str:
    """SHA-256 of a whole open file."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").hexdigest()


def lines(file: BufferedReader, encoded: Encoded) -> Iterator[str]:
    """The lines of an open file, whatever they end with; raises BadInput for one that is too long or holds a NUL."""
    file.seek(encoded.skip)
    text = io.TextIOWrapper(file, _codec(encoded.encoding), newline=None)
    try:
        number = 0
        while line := text.readline(LINE_LIMIT):
            number += 1
            if len(line) == LINE_LIMIT and not line.endswith("\n"):
                raise BadInput(f"Line {number} has more than {LINE_LIMIT:,} characters: this is no roster.")
            if "\0" in line:
                raise BadInput(f"Line {number} holds a NUL character: the file is damaged.")
            yield line
    except UnicodeDecodeError:
        raise BadInput("The file changed while it was read.") from None
    finally:
        if not file.closed:
            text.detach()
