"""A notice as a person received it: campaigns render it again, the desk hands it over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, repr=False)
class Received:
    """One notice to a person: how and when it left, and what it said."""

    notice: str
    version: str
    language: str
    way: str
    status: str
    sent_at: datetime | None
    settled_at: datetime | None
    subject: str
    text: str  # empty when it cannot be rendered any more
    is_as_sent: bool  # the text has the digest under which the notice left
