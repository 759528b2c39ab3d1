"""One row of a roster: its cells become a person, or problems with their columns."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from bot.base.languages import Language
from bot.patients.models import NUMBERS, Category, ContactKind, Way
from bot.patients.roster import words
from bot.patients.roster.cells import Refused, clean, forbidden, harmless
from bot.patients.roster.contacts import Contact, Unusable, emails, phones
from bot.patients.roster.headings import Column, Layout
from bot.patients.roster.problems import Grade, Problem, mask

Member = TypeVar("Member", bound=StrEnum)
MOST_CONTACTS = 12
_KEY = re.compile(r"\w[\w ./#-]{0,39}")
_NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[\u0300-\u036f]|[ .,'’`()·・‧&/-])*")
_HAN = re.compile(r"[\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_MARKUP = re.compile(r"[<>{}\\]|&#|javascript:", re.IGNORECASE)
_ENOUGH = re.compile(r"(?:[\W\d_]*[^\W\d_]){4}")
CLINIC_MOST = 60
"""Characters of a clinic's name."""
_FLAGS = (Column.MINOR, Column.DECEASED, Column.STAFF, Column.PROTECTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A person as the file has them, every value in its one form."""

    number: int
    key: str
    name: str = ""
    name_zh: str = ""
    language: Language = Language.EN
    contacts: tuple[Contact, ...] = ()
    categories: tuple[Category, ...] = ()
    minor: bool = False
    deceased: bool = False
    staff: bool = False
    protected: bool = False
    not_by: tuple[Way, ...] = ()
    guardian: str = ""
    employer: str = ""
    household: str = ""
    clinic: str = ""

    @property
    def home(self) -> str:
        """What is equal for those who live together: the household's key, or else the postal address."""
        if self.household:
            return f"key {self.household}"
        return next((contact.value for contact in self.contacts if contact.kind is ContactKind.POST), "")


class Reader:
    """Reads the rows of one file by its layout."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        columns = {place: column for column, places in layout.places.items() for place in places}
        self._columns = [columns.get(place) for place in range(len(layout.headings))]

    def cleaned(self, number: int, cells: Sequence[str]) -> tuple[list[str], list[Problem]]:
        """The cells of a row made plain, as many as there are headings, and what may not stand in them."""
        found: list[Problem] = []
        plain = []
        for place, raw in enumerate(cells):
            column = self._columns[place] if place < len(self._columns) else None
            try:
                plain.append(clean(raw, column) if raw else "")
            except Refused as refused:
                found.append(Problem(number, self._layout.heading(place), mask(raw), str(refused)))
                plain.append("")
        wide = len(self._columns)
        if not harmless(plain):
            for place, text in enumerate(plain):
                if reason := forbidden(text, self._columns[place] if place < wide else None):
                    found.append(Problem(number, self._layout.heading(place), mask(text), reason))
        if any(plain[wide:]):
            found.append(
                Problem(number, f"column {wide + 1}", "", "more cells than headings: a stray comma, or the row is shifted")
            )
        return [*plain[:wide], *[""] * (wide - len(plain))], found

    def read(self, number: int, cells: Sequence[str]) -> tuple[Row | None, list[Problem]]:
        """The person of a row of plain cells; None when anything in it is refused."""
        judged = _Judged(number, {column: [cells[place] for place in places] for column, places in self._layout.places.items()})
        row = judged.row()
        return (None if any(one.grade is Grade.REFUSED for one in judged.problems) else row), judged.problems


class _Judged:
    """The cells of one row by column, and the problems found with them."""

    def __init__(self, number: int, cells: dict[Column, list[str]]) -> None:
        self.number = number
        self.cells = cells
        self.problems: list[Problem] = []

    def row(self) -> Row:
        name, name_zh = self._names()
        contacts = self._contacts()
        minor, deceased, staff, protected = (self._flag(column) for column in _FLAGS)
        row = Row(
            number=self.number,
            key=self._key(Column.KEY),
            name=name,
            name_zh=name_zh,
            language=self._language(name_zh),
            contacts=contacts,
            categories=self._understood(Column.CATEGORIES, words.categories, Category),
            minor=minor,
            deceased=deceased,
            staff=staff,
            protected=protected,
            not_by=self._understood(Column.NOT_BY, words.ways, Way),
            guardian=self._key(Column.GUARDIAN),
            employer=self._key(Column.EMPLOYER),
            household=self._key(Column.HOUSEHOLD),
            clinic=self._clinic(),
        )
        self._together(row)
        return row

    def _one(self, column: Column) -> str:
        cells = self.cells.get(column)
        return cells[0] if cells else ""

    def _wrong(self, column: Column, value: str, reason: str, grade: Grade = Grade.REFUSED) -> None:
        self.problems.append(Problem(self.number, column, mask(value), reason, grade))

    def _together(self, row: Row) -> None:
        if not row.key:
            self._wrong(Column.KEY, "", "a person needs a key")
        if not row.name and not row.name_zh:
            self._wrong(Column.NAME, "", "a person needs a name")
        if not self._one(Column.CATEGORIES):
            self._wrong(Column.CATEGORIES, "", "which kinds of data were affected must be said for each person")
        if row.minor and not row.guardian:
            self._wrong(Column.GUARDIAN, "", "a minor without a guardian", Grade.NOTICE)
        if not row.contacts:
            self._wrong(Column.KEY, row.key, "no contact point at all: only the case team can reach this person", Grade.NOTICE)
        for column, key in ((Column.GUARDIAN, row.guardian), (Column.EMPLOYER, row.employer)):
            if key and key.casefold() == row.key.casefold():
                self._wrong(column, key, "a person cannot stand in this relation to themselves")

    def _key(self, column: Column) -> str:
        text = self._one(column)
        if text and not _KEY.fullmatch(text):
            self._wrong(column, text, "not a key: up to 40 letters, digits, spaces and . / # -")
            return ""
        return text

    def _clinic(self) -> str:
        text = self._one(Column.CLINIC)
        if len(text) > CLINIC_MOST or _MARKUP.search(text) or "@" in text:
            self._wrong(
                Column.CLINIC, text, f"not the name of a clinic: up to {CLINIC_MOST} characters, no address and no markup"
            )
            return ""
        return text

    def _names(self) -> tuple[str, str]:
        name, name_zh = self._one(Column.NAME), self._one(Column.NAME_ZH)
        for column, text in ((Column.NAME, name), (Column.NAME_ZH, name_zh)):
            if text and not _NAME.fullmatch(text):
                digits = any(char.isdigit() for char in text)
                reason = "a name has no digits: is the column shifted?" if digits else "not a name: it holds signs no name has"
                self._wrong(column, text, reason)
            elif len(text) > 120:
                self._wrong(column, text, "a name of more than 120 characters")
        if name_zh and not _HAN.search(name_zh):
            self._wrong(Column.NAME_ZH, name_zh, "no Chinese character in the Chinese name")
        if name and not name_zh and not name.isascii() and _HAN.search(name):
            # One column for both scripts: "CHAN Tai Man 陳大文".
            name_zh = "".join(_HAN.findall(name))
            name = " ".join(_HAN.sub(" ", name).replace("()", " ").split()).strip(" ,/-")
        return name, name_zh

    def _language(self, name_zh: str) -> Language:
        text = self._one(Column.LANGUAGE)
        if not text:
            return Language.ZH_HANT if name_zh else Language.EN
        found = words.language(text)
        if found is None:
            self._wrong(Column.LANGUAGE, text, f"not one of the languages {', '.join(Language)}")
        return found or Language.EN

    def _flag(self, column: Column) -> bool:
        text = self._one(column)
        said = words.yes_or_no(text) if text else False
        if said is None:
            self._wrong(column, text, "neither yes nor no")
        return bool(said)

    def _understood(
        self, column: Column, read: Callable[[str], tuple[Member, ...] | None], members: type[Member]
    ) -> tuple[Member, ...]:
        text = self._one(column)
        found = read(text) if text else ()
        if found is None:
            self._wrong(column, text, f"not understood; the words are {', '.join(members)}, with ; between them")
        return found or ()

    def _contacts(self) -> tuple[Contact, ...]:
        found: dict[tuple[ContactKind, str], Contact] = {}
        for column, read in ((Column.EMAIL, emails), (Column.PHONE, phones)):
            for cell in filter(None, self.cells.get(column, ())):
                for one in read(cell):
                    if isinstance(one, Unusable):
                        self._wrong(column, one.value, one.reason, Grade.LEFT_OUT)
                    else:
                        found.setdefault((one.kind, one.value), one)
        if address := self._address():
            found[ContactKind.POST, address] = Contact(ContactKind.POST, address)
        if len(found) > MOST_CONTACTS:
            self._wrong(Column.PHONE, "", f"more than {MOST_CONTACTS} contact points for one person")
        return self._safe(list(found.values()))

    def _address(self) -> str:
        lines = [cell for cell in self.cells.get(Column.ADDRESS, ()) if cell]
        address = ", ".join(lines).replace("; ", ", ")
        if not address:
            return ""
        if _MARKUP.search(address):
            self._wrong(Column.ADDRESS, address, "markup in an address")
        elif "@" in address:
            self._wrong(Column.ADDRESS, address, "an e-mail address in the postal address: is the column shifted?")
        elif not _ENOUGH.match(address):
            self._wrong(Column.ADDRESS, address, "not enough for a postal address", Grade.LEFT_OUT)
            return ""
        return address

    def _safe(self, contacts: list[Contact]) -> tuple[Contact, ...]:
        text = self._one(Column.SAFE)
        if not text:
            return tuple(contacts)
        wanted = _contacts_meant(text, contacts)
        if not wanted:
            self._wrong(Column.SAFE, text, "none of this person's contacts: repeat one, or name the kind if there is one of it")
        return tuple(replace(contact, safe=contact in wanted) for contact in contacts)


_KIND_WORDS = {
    "email": {ContactKind.EMAIL}, "e-mail": {ContactKind.EMAIL}, "電郵": {ContactKind.EMAIL},
    "mobile": {ContactKind.MOBILE}, "手機": {ContactKind.MOBILE}, "landline": {ContactKind.LANDLINE},
    "phone": NUMBERS, "電話": NUMBERS, "post": {ContactKind.POST}, "letter": {ContactKind.POST}, "address": {ContactKind.POST},
}  # fmt: skip


def _contacts_meant(text: str, contacts: Sequence[Contact]) -> list[Contact]:
    """The contacts of a row that a cell repeats, or the only one of the kind that it names."""
    if kinds := _KIND_WORDS.get(text.casefold()):
        of_kind = [contact for contact in contacts if contact.kind in kinds]
        return of_kind if len(of_kind) == 1 else []
    read = emails(text) if "@" in text else phones(text)
    values = [one.value if isinstance(one, Contact) else None for one in read]
    meant = [contact for contact in contacts if contact.value in values]
    same_address = [contact for contact in contacts if contact.kind is ContactKind.POST and contact.value == text]
    return same_address or (meant if len(meant) == len(values) else [])
