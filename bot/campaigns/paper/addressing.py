"""What stands on an envelope: the lines of an address, and the number by which a letter is known when it comes back."""

from __future__ import annotations

import re

from bot.base.errors import BadInput
from bot.campaigns.content.letter import ADDRESS_LINES, ADDRESS_MOST

_PARTS = re.compile(r"\s*[,，\n]\s*")
_NUMBER = re.compile(r"L(\d{7,9})(\d{2})")


def lines_of(name: str, address: str) -> list[str]:
    """The name and the address in lines that fit the window; raises BadInput when they do not."""
    parts = [part for part in _PARTS.split(address.strip()) if part]
    lines = [name]
    for place, part in enumerate(parts):
        joined = f"{lines[-1]}, {part}"
        # As many lines as there are parts while they fit; beyond that parts share a line.
        if len(lines) > 1 and len(parts) - place > ADDRESS_LINES - len(lines) and len(joined) <= ADDRESS_MOST:
            lines[-1] = joined
        else:
            lines.append(part)
    if len(lines) > ADDRESS_LINES or any(len(line) > ADDRESS_MOST for line in lines) or len(lines) < 2:
        raise BadInput("The address does not fit an envelope's window.")
    return lines


def number_of(notice_id: int) -> str:
    """The number printed on a letter, such as L0000123-45: with two check digits (ISO 7064, MOD 97-10)."""
    return f"L{notice_id:07}-{98 - notice_id * 100 % 97:02}"


def notice_of(number: str) -> int | None:
    """The notice of a number as it was typed or scanned; None for a misread one."""
    found = _NUMBER.fullmatch(re.sub(r"[\s-]", "", number.strip().upper()))
    if found is None or int(found[1] + found[2]) % 97 != 1:
        return None
    return int(found[1])
