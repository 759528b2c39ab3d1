"""A lease held while long work is done, so that nobody else begins the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from bot.base import leases
from bot.base.errors import BadInput
from bot.campaigns.office import Office

LASTS_S = 120.0
"""Between two signs of life."""


@contextmanager
def working(office: Office, name: str) -> Iterator[Callable[[], None]]:
    """Hold a lease meanwhile; what is given is to be called now and then. Raises BadInput while another holds it."""
    until: list[datetime] = []

    def alive() -> None:
        at = office.clock()
        if until and at < until[-1]:
            return
        with office.database.writing() as session:
            if not leases.take(session, name=name, holder=office.holder, at=at, seconds=LASTS_S):
                raise BadInput("Somebody else is submitting this campaign just now.")
        until.append(at + timedelta(seconds=LASTS_S / 2))

    alive()
    try:
        yield alive
    finally:
        with office.database.writing() as session:
            leases.release(session, name=name, holder=office.holder)
