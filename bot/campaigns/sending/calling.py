"""Handing notices to providers, with no transaction open: one request for many e-mails, one call for each text."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import cast

from bot.base.errors import ChannelError, OutcomeUnknown, PermanentFailure, Unconfigured
from bot.campaigns.office import Mailer, Office
from bot.campaigns.sending.claiming import Taken
from bot.campaigns.sending.concluding import REFUSED_TOGETHER, Result
from bot.channels.base import Copy, Mailing, Outgoing, Template
from bot.patients.models import Way

log = logging.getLogger(__name__)

Called = list[tuple[list[Taken], Result]]


def call(office: Office, taken: Sequence[Taken]) -> Called:
    """Hand over notices of one channel and one segment; what came of it, for whom. Raises nothing."""
    if taken[0].channel is not Way.EMAIL:
        return [([one], _guarded(office, one)) for one in taken]
    found = _mailed(office, list(taken))
    # Refused one by one although each stands alone: then it is the request, not the people.
    if len(taken) >= REFUSED_TOGETHER and all(isinstance(result, PermanentFailure) for _, result in found):
        return [(list(taken), found[0][1])]
    return found


def _mailed(office: Office, taken: list[Taken]) -> Called:
    result = _request(office, taken)
    # A request that was refused was surely not sent: halved until whoever is to blame stands alone.
    if isinstance(result, PermanentFailure) and len(taken) > 1:
        middle = len(taken) // 2
        return _mailed(office, taken[:middle]) + _mailed(office, taken[middle:])
    return [(taken, result)]


def _request(office: Office, taken: list[Taken]) -> Result:
    text = taken[0].text
    try:
        copies = tuple(Copy(one.address, one.reference, one.put) for one in taken)
        mailing = Mailing(office.own.get(Way.EMAIL.value, ""), text.subject, text.plain, text.html, copies)
        return cast("Mailer", office.channels[Way.EMAIL.value]).send_many(mailing)
    except ChannelError as known:
        return known
    except Exception as unexpected:  # it may have been sent: the safe reading of any surprise
        return _surprise(unexpected)


def _guarded(office: Office, one: Taken) -> Result:
    try:
        channel = office.channels.get(one.channel.value)
        if channel is None:
            return Unconfigured(f"there is no channel {one.channel.value}")
        return channel.send(_outgoing(office, one))
    except ChannelError as known:
        return known
    except Exception as unexpected:  # as above
        return _surprise(unexpected)


def _surprise(unexpected: Exception) -> OutcomeUnknown:
    log.error("a call for notices broke off: %s", type(unexpected).__name__)
    return OutcomeUnknown("the call broke off", code=type(unexpected).__name__)


def _outgoing(office: Office, one: Taken) -> Outgoing:
    template = None
    if one.channel is Way.WHATSAPP:
        template = Template(one.text.content_id, one.text.variables(one.values))
    return Outgoing(
        own=office.sends_as(one.channel.value),
        their=one.address,
        text=one.body,
        reference=one.reference,
        template=template,
    )
