"""Passwords and codes: Argon2id, and time-based codes that work once (RFC 6238)."""

from __future__ import annotations

import hmac
from datetime import datetime
from functools import lru_cache
from typing import Protocol

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from bot.base.errors import BadInput
from bot.base.text import fold

LEAST = 12
MOST = 200
STEP_S = 30
DRIFT = 1
"""Steps by which a telephone's clock may be off."""

_hasher = PasswordHasher()


class HasNames(Protocol):
    """Whose password it is."""

    @property
    def name(self) -> str:
        """The name shown to colleagues."""

    @property
    def login(self) -> str:
        """The sign-in name."""


def check_password(password: str, owner: HasNames) -> None:
    """Raise BadInput when a password is too short, too long, of too few characters, or holds the owner's name."""
    if not LEAST <= len(password) <= MOST:
        raise BadInput(f"A password has between {LEAST} and {MOST} characters.")
    if len(set(password)) < 6:
        raise BadInput("A password needs more different characters.")
    folded = fold(password)
    if any(len(part) > 3 and fold(part) in folded for part in (*owner.name.split(), *owner.login.split("@"))):
        raise BadInput("A password must not hold your name.")


def hash_password(password: str) -> str:
    """The encoded Argon2id hash, with its salt and parameters."""
    return _hasher.hash(password)


def password_holds(encoded: str | None, password: str) -> bool:
    """Whether a password is the one; without a hash it is as much work and never right."""
    try:
        return _hasher.verify(encoded or _nobodys(), password[: MOST + 1]) and encoded is not None
    except (Argon2Error, InvalidHashError):
        return False


def needs_rehash(encoded: str) -> bool:
    """Whether a hash was made with other parameters than those of today."""
    return _hasher.check_needs_rehash(encoded)


def step_of(secret: str, code: str, at: datetime, *, after: int) -> int | None:
    """The step of time to which a code belongs, if it is right, near enough, and later than the last one that was used."""
    digits = "".join(code.split())
    if len(digits) != 6 or not (digits.isascii() and digits.isdecimal()):
        return None
    now = int(at.timestamp()) // STEP_S
    totp = pyotp.TOTP(secret)
    for step in range(now - DRIFT, now + DRIFT + 1):
        if step > after and hmac.compare_digest(totp.generate_otp(step), digits):
            return step
    return None


@lru_cache(maxsize=1)
def _nobodys() -> str:
    return _hasher.hash("nobody's password")
