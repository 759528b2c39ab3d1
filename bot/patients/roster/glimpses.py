"""A row as it may be shown for comparison: initials, the ends of numbers, nothing that gives somebody away."""

from __future__ import annotations

from bot.patients.models import ContactKind
from bot.patients.roster.problems import mask
from bot.patients.roster.rows import Row


def glimpse(row: Row) -> tuple[str, ...]:
    """Row number, end of the key, names, language, contact points, guardian or employer."""
    contacts = ", ".join(_end(contact.kind, contact.value) for contact in row.contacts)
    names = " ".join(filter(None, (mask(row.name), mask(row.name_zh))))
    return str(row.number), f"…{row.key[-2:]}", names, row.language, contacts, mask(row.guardian or row.employer)


def _end(kind: ContactKind, value: str) -> str:
    if kind is ContactKind.POST:
        return f"{value[:3]}…"
    return mask(value) if kind is ContactKind.EMAIL else f"…{value[-2:]}"
