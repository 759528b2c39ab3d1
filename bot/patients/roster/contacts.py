"""Addresses as they stand in a cell: made exact by the libraries that know their rules, or left out with a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import NumberParseException, PhoneNumber, PhoneNumberType

from bot.patients.models import ContactKind

HOME = "HK"
LONGEST_EMAIL = 254
_PLAIN_LOCAL = re.compile(r"(?=.{1,64}\Z)[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*")
_BETWEEN_PHONES = re.compile(r"[;；、|\n]| or |/|,(?= ?\+?\d{4})|，")
_BETWEEN_EMAILS = re.compile(r"[;；、|,，/\s]+")
_NO_NUMBER = re.compile(r"[^\d+()\-. #*]")
_KINDS = {
    PhoneNumberType.MOBILE: ContactKind.MOBILE,
    PhoneNumberType.FIXED_LINE: ContactKind.LANDLINE,
    PhoneNumberType.FIXED_LINE_OR_MOBILE: ContactKind.PHONE,
    PhoneNumberType.VOIP: ContactKind.PHONE,
    PhoneNumberType.PERSONAL_NUMBER: ContactKind.PHONE,
}
COUNTRY_CODE_LENGTH = 11
"""Digits from which a number that lacks its plus is taken for an international one."""


@dataclass(frozen=True, slots=True)
class Contact:
    """One address, in the one form in which it is stored."""

    kind: ContactKind
    value: str
    safe: bool = False


@dataclass(frozen=True, slots=True)
class Unusable:
    """An address that is left out."""

    value: str
    reason: str


def phones(cell: str) -> Iterator[Contact | Unusable]:
    """The telephone numbers of a cell; those without a country are Hong Kong's."""
    for part in filter(None, map(str.strip, _BETWEEN_PHONES.split(cell))):
        yield _phone(part)


@lru_cache(maxsize=4096)  # those who live together stand together, with one number
def _phone(text: str) -> Contact | Unusable:
    if _NO_NUMBER.search(text):
        return Unusable(text, "not a telephone number: there are words with it")
    found = _parsed(text)
    if found is None and not text.startswith("+"):
        digits = re.sub(r"\D", "", text)
        if len(digits) >= COUNTRY_CODE_LENGTH:  # a spreadsheet has taken the plus away
            found = _parsed("+" + digits)
    if found is None:
        return Unusable(text, "not a telephone number of Hong Kong, nor one with a country code")
    number, its_type = found
    if number.extension:
        return Unusable(text, "an extension: a text cannot reach it, and who answers is not known")
    kind = _KINDS.get(its_type)
    if kind is None:
        return Unusable(text, "a number at which nobody can be reached in person (premium, toll-free, pager)")
    return Contact(kind, f"+{number.country_code}{phonenumbers.national_significant_number(number)}")


def _parsed(text: str) -> tuple[PhoneNumber, int] | None:
    """A number and its type; only a valid one has a type."""
    try:
        number = phonenumbers.parse(text, HOME)
    except NumberParseException:
        return None
    its_type = phonenumbers.number_type(number)
    return None if its_type == PhoneNumberType.UNKNOWN else (number, its_type)


def emails(cell: str) -> Iterator[Contact | Unusable]:
    """The e-mail addresses of a cell; whether a domain exists is not asked of the network."""
    cell = re.sub(r"mailto:|[<>]", " ", cell)
    parts = list(filter(None, _BETWEEN_EMAILS.split(cell)))
    if any(part.count("@") != 1 for part in parts):
        # "chan,tai@…": what stands after the comma would be somebody else's address.
        yield Unusable(cell, "not an e-mail address, or with other words beside it")
        return
    yield from (_email(part.rstrip(".")) for part in parts)


def _email(text: str) -> Contact | Unusable:
    local, _, domain = text.rpartition("@")
    # Most addresses are of a few domains: each is judged once.
    if _PLAIN_LOCAL.fullmatch(local):
        address = f"{local}@{known}" if (known := _domain(domain)) else None
    else:
        address = _judged_by_library(text)
    if address is None or len(address) > LONGEST_EMAIL:
        return Unusable(text, "not an e-mail address that can be written to")
    return Contact(ContactKind.EMAIL, address)


@lru_cache(maxsize=4096)
def _domain(domain: str) -> str | None:
    address = _judged_by_library(f"x@{domain}")
    return address and address.removeprefix("x@")


def _judged_by_library(address: str) -> str | None:
    try:
        return validate_email(address, check_deliverability=False, allow_smtputf8=False).normalized
    except EmailNotValidError:
        return None
