"""What needs a second person: how each kind reads on the list of approvals, and what agreeing to it does.

The module of a page makes its kind known with `deed(...)`; one that nobody made known is shown and cannot be agreed to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from fastapi import Response
from sqlalchemy.orm import Session

from bot.desk.staff.approvals import Deciders, What
from bot.desk.staff.models import Approval
from bot.web.console.door import Staff
from bot.web.console.notices import Notice, refused, said


@dataclass(frozen=True)
class Deed:
    """One kind of request."""

    what: What
    describe: Callable[[Staff, Session, Approval], str]
    """The request in a sentence or two, in the reader's language; nothing of a patient that they may not see."""
    carry_out: Callable[[Staff, Session, int], Notice | Response]
    """Agree (`approvals.approve`) and do it in the session's one transaction: a notice to say, or a page to show once."""


DEEDS: dict[What, Deed] = {}


def deed(
    what: What,
    describe: Callable[[Staff, Session, Approval], str],
    carry_out: Callable[[Staff, Session, int], Notice | Response],
) -> None:
    """Make a kind of request known."""
    DEEDS[what] = Deed(what, describe, carry_out)


def who_decides(deciders: Deciders) -> Notice:
    """Who could decide a request, plainly, also when nobody can."""
    if deciders.on_duty:
        return said("approvals.others_on_duty", n=len(deciders.on_duty))
    if deciders.others:
        return refused("approvals.others_off_duty", n=len(deciders.others))
    return refused("approvals.nobody")
