"""Addresses as they may be shown: enough to recognise one's own, too little to use."""

from __future__ import annotations

from bot.patients.models import Way


def masked(channel: Way, address: str) -> str:
    """`+852 ****1234`, `j***@e***`, or the first two characters of a postal address."""
    if channel is Way.EMAIL:
        name, _, domain = address.partition("@")
        return f"{name[:1]}***@{domain[:1]}***"
    if channel is Way.LETTER:
        return f"{address[:2]}…"
    country = address[:4] if address.startswith("+") else ""
    return f"{country} ****{address[-4:]}".strip()
