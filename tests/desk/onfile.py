"""Somebody on file, for tests of the desk."""

from __future__ import annotations

from typing import Any

from bot.patients.models import CONTACT, RECORD, ContactPoint, NameToken, Person, RosterImport
from tests.desk.conftest import Desk

OLD, OTHER, NEW = "+85291234567", "chan@example.com", "+85269998888"
WHY = "asked in person with their identity card"


def person_on_file(desk: Desk, language: str = "zh-Hant", **flags: Any) -> int:
    """Somebody with a mobile and an e-mail address."""
    with desk.database.writing() as session:
        applied = RosterImport(digest="0" * 64, by="test", at=desk.clock(), counts={})
        session.add(applied)
        session.flush()
        record = '{"key": "P1", "name": "CHAN Tai Man", "name_zh": "陳大文", "categories": []}'
        number = session.query(Person).count()
        person = Person(
            key_entry=desk.index.index("key", f"P{number}"),
            sealed_record=desk.vault.seal(record, RECORD),
            language=language,
            import_id=applied.id,
            **flags,
        )
        session.add(person)
        session.flush()
        for place, (kind, found, value) in enumerate((("mobile", "phone", OLD), ("email", "email", OTHER))):
            entry, sealed = desk.index.index(found, value), desk.vault.seal(value, CONTACT)
            point = ContactPoint(
                person_id=person.id, kind=kind, entry=entry, sealed_value=sealed, place=place, added_at=desk.clock()
            )
            session.add(point)
        for word in ("chan", "tai", "man", "陳大文"):
            session.add(NameToken(entry=desk.index.index("name", word), person_id=person.id))
        return person.id
