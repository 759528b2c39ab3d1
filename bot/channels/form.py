"""The parts of a multipart form (RFC 7578), found by their delimiters in one pass over the body.

A general e-mail parser also opens what lies inside a file: an attached e-mail in an e-mail in an e-mail ends in a
recursion error, millions of empty lines in minutes. Here a part is where it begins and ends, and nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.message import Message

HEAD_MOST = 8 * 1024
"""Bytes of a part's own headers."""
PARTS_MOST = 2_000
"""Parts of one form that are looked at."""

_HEAD_ENDS = re.compile(rb"\r?\n\r?\n")
_DISPOSITION = re.compile(rb"^content-disposition:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_NAME = re.compile(rb"[;\s]name=\"?([^\";\r\n]{1,100})", re.IGNORECASE)
_FILE = re.compile(rb"[;\s]filename\*?=", re.IGNORECASE)


def parts(content_type: str, body: bytes) -> Iterator[tuple[bool, str, memoryview]]:
    """Each part: whether it is a file, its field's name, its bytes; of another content type there are none."""
    head = Message()
    head["Content-Type"] = content_type.replace("\r", " ").replace("\n", " ")
    boundary = head.get_boundary()
    if head.get_content_maintype() != "multipart" or not boundary:
        return
    delimiter = re.compile(rb"(?:^|\r?\n)--" + re.escape(boundary.encode("latin-1", "replace")) + rb"(--)?[ \t]*(?=\r?\n|\Z)")
    view = memoryview(body)
    begins: int | None = None
    for number, found in enumerate(delimiter.finditer(body)):
        if begins is not None:
            yield _part(view, body, begins, found.start())
        if found[1] or number >= PARTS_MOST:
            return
        begins = found.end()
    if begins is not None:  # cut off on its way
        yield _part(view, body, begins, len(body))


def _part(view: memoryview, body: bytes, begins: int, ends: int) -> tuple[bool, str, memoryview]:
    blank = _HEAD_ENDS.search(body, begins, min(ends, begins + HEAD_MOST))
    head = body[begins : blank.start() if blank else min(ends, begins + HEAD_MOST)]
    disposition = _DISPOSITION.search(head)
    told = disposition[1] if disposition else b""
    name = _NAME.search(told)
    content = view[blank.end() : ends] if blank else view[ends:ends]
    return _FILE.search(told) is not None, name[1].decode("latin-1") if name else "", content
