"""Twilio's error codes: what each means for what we sent, in words for a person.

Sources: twilio.com/docs/api/errors, one page per code; the text of an error is never read, only its code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from bot.base.errors import (
    AccountFailure,
    ChannelError,
    OptedOut,
    OutcomeUnknown,
    PermanentFailure,
    TemporaryFailure,
)


class Fate(StrEnum):
    """What to do about an error."""

    TEMPORARY = "temporary"  # surely not sent: again later
    LIMIT = "limit"  # the same, and it does not use up the tries
    UNKNOWN = "unknown"  # it may have been sent
    ACCOUNT = "account"  # nothing gets through until an operator mends it
    PERMANENT = "permanent"  # not to this address, or not this text
    OPTED_OUT = "opted_out"  # the patient has stopped this sender


@dataclass(frozen=True)
class Failure:
    """One error code."""

    fate: Fate
    reason: str


_T, _L, _U, _A, _P, _O = Fate.TEMPORARY, Fate.LIMIT, Fate.UNKNOWN, Fate.ACCOUNT, Fate.PERMANENT, Fate.OPTED_OUT

FAILURES = MappingProxyType(
    {
        20003: Failure(_A, "Twilio does not accept our account or token"),
        20404: Failure(_A, "Twilio knows no such account or resource"),
        20429: Failure(_L, "Twilio asks us to slow down"),
        20500: Failure(_U, "Twilio had an internal error"),
        20503: Failure(_U, "Twilio was not available"),
        21211: Failure(_P, "the number is not valid"),
        21212: Failure(_A, "our sender is not valid"),
        21408: Failure(_A, "our account may not write to this country"),
        21606: Failure(_A, "our sender cannot send this"),
        21608: Failure(_A, "a trial account may write to verified numbers only"),
        21609: Failure(_A, "our public address is no address that Twilio can call"),
        21610: Failure(_O, "the patient has stopped messages from this number"),
        21611: Failure(_L, "our number's queue at Twilio is full"),
        21612: Failure(_P, "this number cannot be reached from our sender"),
        21614: Failure(_P, "the number is not a mobile number"),
        21617: Failure(_P, "the text is too long for one message"),
        21635: Failure(_P, "the number is a landline"),
        21655: Failure(_A, "Twilio knows no such content template"),
        21656: Failure(_P, "the values do not fit the content template"),
        21657: Failure(_A, "our sender is not valid for this"),
        21703: Failure(_A, "our messaging service has no sender"),
        21910: Failure(_A, "our sender is of another channel"),
        30001: Failure(_T, "Twilio's queue overflowed"),
        30002: Failure(_A, "our account is suspended"),
        30003: Failure(_T, "the handset could not be reached"),
        30004: Failure(_P, "the message was blocked"),
        30005: Failure(_P, "nobody has this number"),
        30006: Failure(_P, "the number is a landline or cannot be reached"),
        30007: Failure(_P, "the carrier filtered the message"),
        30008: Failure(_T, "the carrier gave no reason"),
        30036: Failure(_T, "it waited longer than it was valid"),
        30042: Failure(_A, "our sender id is not allowed"),
        30111: Failure(_P, "the text holds an address that is blocked"),
        30500: Failure(_T, "Twilio had an internal error after taking it"),
        63003: Failure(_P, "the number has no WhatsApp"),
        63007: Failure(_A, "our WhatsApp sender is not set up"),
        63014: Failure(_O, "the patient has blocked us"),
        63016: Failure(_P, "WhatsApp allows no free text after 24 hours of silence"),
        63017: Failure(_L, "our account's rate on WhatsApp is reached"),
        63018: Failure(_L, "the channel's rate is reached"),
        63021: Failure(_P, "the content is not valid for the channel"),
        63024: Failure(_P, "the recipient is not valid"),
        63032: Failure(_P, "WhatsApp does not allow writing to this number"),
        63038: Failure(_A, "our account's messages of the day are used up"),
        63049: Failure(_P, "WhatsApp chose not to deliver it"),
    }
)
"""Every code we know. One that is missing here is judged by its HTTP status."""


def failure(code: int, status: int = 400) -> Failure:
    """What an error means; an unknown code is judged by the status it came with (a callback's counts as 400)."""
    known = FAILURES.get(code)
    if known:
        return known
    if status in (401, 403, 404):
        return Failure(Fate.ACCOUNT, "Twilio refuses our account")
    if status == 429:
        return Failure(Fate.LIMIT, "Twilio asks us to slow down")
    if status >= 500:
        return Failure(Fate.UNKNOWN, "Twilio failed")
    return Failure(Fate.PERMANENT, "Twilio refused it")


def as_error(code: int, status: int) -> ChannelError:
    """The error to raise for an answer of Twilio's."""
    found, text = failure(code, status), str(code or status)
    match found.fate:
        case Fate.TEMPORARY:
            return TemporaryFailure(found.reason, code=text)
        case Fate.LIMIT:
            return TemporaryFailure(found.reason, code=text, is_limit=True)
        case Fate.UNKNOWN:
            return OutcomeUnknown(found.reason, code=text)
        case Fate.ACCOUNT:
            return AccountFailure(found.reason, code=text)
        case Fate.OPTED_OUT:
            return OptedOut(found.reason, code=text)
        case Fate.PERMANENT:
            return PermanentFailure(found.reason, code=text)
