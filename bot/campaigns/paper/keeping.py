"""The files of posted letters go when their time is over: names and addresses lie about no longer than they are used."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.campaigns.office import Office
from bot.campaigns.paper import batches
from bot.campaigns.paper.models import LetterBatch

EVERY = timedelta(hours=1)


class LetterKeeping:
    """One process's rounds; the files lie on the machine where they were made, so that each looks after its own."""

    def __init__(self, office: Office, home: Path, is_held: Callable[[Session], bool]) -> None:
        """`is_held` tells whether nothing may be removed just now."""
        self._office, self._home, self._is_held = office, home, is_held
        self._next: datetime | None = None

    def tick(self) -> int:
        """One round, if it is time; returns of how many batches the files were removed."""
        at = self._office.clock()
        if self._next is not None and self._next - EVERY <= at < self._next:
            return 0
        self._next = at + EVERY
        due = select(LetterBatch).where(LetterBatch.posted_at < at - batches.KEPT, LetterBatch.emptied_at.is_(None))
        with self._office.database.reading() as session:  # an idle round must not take the write lock
            found = [one for one in session.scalars(due) if batches.folder_of(self._home, one).is_dir()]
            is_held = self._is_held(session)
        if not found or is_held:
            return 0
        with self._office.database.writing() as session:
            return batches.empty(session, self._office, self._home, at - batches.KEPT)
