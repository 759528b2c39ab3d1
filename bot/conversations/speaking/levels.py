"""Who may read a wording: everybody, or only somebody who has shown in this session who they are.

The level stands at every wording. It is enforced where a text comes into being (`wording.render`), so that neither the assistant
nor the team nor a new door can say a verified wording by mistake: without a proof for the very session, rendering fails.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Level(StrEnum):
    """Who may read a wording."""

    PUBLIC = "public"  # everybody
    VERIFIED = "verified"  # who has shown in this session to be the person, or the person's guardian


@dataclass(frozen=True)
class Verified:
    """The proof that whoever writes in a session is a person on file; made by the identity check alone."""

    session_id: int
    person_id: int
    until: datetime


def level_of(verified: Verified | None, session_id: int | None, at: datetime) -> Level:
    """What may be said now in this session: a proof counts for its own session and not beyond its time."""
    if verified is None or session_id is None or verified.session_id != session_id or at >= verified.until:
        return Level.PUBLIC
    return Level.VERIFIED
