"""Invented households of Hong Kong, as rows of a roster: the same for the same seed, and nobody who lives.

E-mail addresses are of domains that are reserved for examples. For telephone numbers Hong Kong has no such reserve: they are of
the right form, so that they are judged as real ones are, and some may be somebody's. A sample roster is for the simulator.
"""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

from bot.patients.models import Category, Way
from bot.patients.roster.headings import Column
from bot.patients.sample import names

DOMAINS = ("example.com", "example.net", "example.org", "mail.example.com")
BAD_PHONES = ("1234", "9123", "unknown", "0000 0000")
MOBILES = ("61", "63", "64", "65", "69", "94", "96", "97")
"""Prefixes all of whose numbers are mobile ones."""
LANDLINES = ("22", "23", "24", "25", "26", "27", "28")
ABROAD = (("+86 138", 8), ("+63 917", 7), ("+62 812", 8), ("+91 98", 8), ("+1 415 555 01", 2))
_CATEGORIES = tuple(Category)


@dataclass
class Invented:
    """One person, with the cells of the row by column."""

    cells: dict[Column, str]
    phones: list[str] = field(default_factory=list)
    emails: list[str] = field(default_factory=list)


class People:
    """Invents persons, one after the other."""

    def __init__(self, seed: int) -> None:
        self._dice = random.Random(f"candour sample {seed}")  # noqa: S311 - it has to be the same again
        self._number = 0
        self._surnames, self._male, self._female = map(names.pairs, (names.SURNAMES, names.MALE, names.FEMALE))
        self._english = [names.plain(names.ENGLISH_MALE), names.plain(names.ENGLISH_FEMALE)]
        self._abroad = [names.tagged(names.ABROAD_MALE), names.tagged(names.ABROAD_FEMALE)]
        self._helpers = names.tagged(names.HELPERS)
        self._estates = [part.split("|") for part in names.plain(names.ESTATES)]
        self._estates_zh = [part.split("|") for part in names.plain(names.ESTATES_ZH)]

    def persons(self) -> Iterator[Invented]:
        """Persons without end, household by household; a guardian or employer stands before those who need one."""
        while True:
            yield from self._household()

    def _chance(self, share: float) -> bool:
        return self._dice.random() < share

    def _household(self) -> list[Invented]:
        dice = self._dice
        chinese = self._chance(0.86)
        surname = dice.choice(self._surnames)
        address = self._address(chinese)
        landline = self._landline() if self._chance(0.45) else ""
        adults = [self._adult(surname, chinese, address) for _ in range(dice.choice((1, 1, 2, 2, 2, 3)))]
        head = adults[0]
        for adult in adults:
            if landline:
                adult.phones.append(landline)
        if len(adults) > 1 and self._chance(0.25):
            adults[1].emails = list(head.emails)  # a couple with one mailbox
        household = [*adults, *(self._child(surname, head, address) for _ in range(dice.choice((0, 0, 0, 1, 1, 2))))]
        if self._chance(0.12):
            household.append(self._helper(head, address))
        for person in household:
            self._finish(person)
        return household

    def _new(self, **cells: str) -> Invented:
        self._number += 1
        known = {Column[name.upper()]: value for name, value in cells.items()}
        return Invented({Column.KEY: f"P{self._number:06d}", **known})

    def _adult(self, surname: tuple[str, str], chinese: bool, address: str) -> Invented:
        dice, female = self._dice, self._dice.randrange(2)
        if chinese:
            own = surname if self._chance(0.7) else dice.choice(self._surnames)
            given, given_zh = dice.choice((self._male, self._female)[female])
            english = f", {dice.choice(self._english[female])}" if self._chance(0.55) else ""
            language = dice.choices(("zh-Hant", "en", "zh-Hans"), (80, 14, 6))[0]
            person = self._new(name=f"{own[0].upper()} {given}{english}", name_zh=own[1] + given_zh, language=language)
        else:
            language, name = dice.choice(self._abroad[female])
            person = self._new(name=name, language=language)
        person.cells[Column.ADDRESS] = address
        person.phones.append(self._mobile(abroad=self._chance(0.03)))
        if self._chance(0.82):
            person.emails.append(self._email(person.cells[Column.NAME]))
        self._adults_flags(person)
        return person

    def _adults_flags(self, person: Invented) -> None:
        if self._chance(0.02):
            person.cells[Column.DECEASED] = "yes"
        if self._chance(0.01):
            person.cells[Column.STAFF] = "yes"
        if self._chance(0.006):
            person.cells[Column.PROTECTED] = "yes"
            if self._chance(0.7):
                person.cells[Column.SAFE] = person.phones[0]
                person.cells[Column.NOT_BY] = "email; letter"
        elif self._chance(0.03):
            person.cells[Column.NOT_BY] = self._dice.choice(tuple(Way)).value

    def _child(self, surname: tuple[str, str], guardian: Invented, address: str) -> Invented:
        given, given_zh = self._dice.choice(self._dice.choice((self._male, self._female)))
        person = self._new(
            name=f"{surname[0].upper()} {given}",
            name_zh=surname[1] + given_zh,
            language=guardian.cells.get(Column.LANGUAGE, "en"),
            address=address,
            minor="yes",
            guardian=guardian.cells[Column.KEY],
        )
        person.phones, person.emails = guardian.phones[:1], guardian.emails[:1]
        return person

    def _helper(self, employer: Invented, address: str) -> Invented:
        language, name = self._dice.choice(self._helpers)
        person = self._new(name=name, language=language, address=address, employer=employer.cells[Column.KEY])
        person.phones = [self._mobile(abroad=False)] if self._chance(0.9) else employer.phones[:1]
        if self._chance(0.4):
            person.emails = [self._email(name)]
        return person

    def _finish(self, person: Invented) -> None:
        dice = self._dice
        held = [category for category in _CATEGORIES if category in (Category.IDENTITY, Category.CONTACT) or self._chance(0.5)]
        person.cells[Column.CATEGORIES] = "; ".join(held)
        if person.emails and self._chance(0.012):
            first = person.emails[0]
            person.emails[0] = dice.choice((first.replace("@", " at "), "no email", first.replace(".", ",")))
        if self._chance(0.006):
            person.phones[0] = dice.choice(BAD_PHONES)
        person.cells[Column.EMAIL] = "; ".join(person.emails)
        person.cells[Column.PHONE] = "; ".join(person.phones)
        if Column.SAFE in person.cells:
            person.cells[Column.SAFE] = person.phones[0] if person.phones[0] not in BAD_PHONES else "post"

    def _mobile(self, *, abroad: bool) -> str:
        dice = self._dice
        if abroad:
            start, digits = dice.choice(ABROAD)
            return f"{start}{dice.randrange(10**digits):0{digits}d}"
        number = f"{dice.choice(MOBILES)}{dice.randrange(10**6):06d}"
        return dice.choice((number, f"{number[:4]} {number[4:]}", f"+852 {number[:4]} {number[4:]}"))

    def _landline(self) -> str:
        number = f"{self._dice.choice(LANDLINES)}{self._dice.randrange(10**6):06d}"
        return f"{number[:4]} {number[4:]}"

    def _email(self, name: str) -> str:
        dice = self._dice
        plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
        words = ["".join(filter(str.isalpha, word)) for word in plain.split()]
        local = dice.choice((".".join(words), "".join(words[-2:]) + str(dice.randrange(100)), words[0] + "_" + words[-1]))
        return f"{local}{self._number}@{dice.choice(DOMAINS)}"

    def _address(self, chinese: bool) -> str:
        dice = self._dice
        flat, floor, block = dice.choice("ABCDEFGH"), dice.randrange(1, 41), dice.randrange(1, 13)
        if chinese and self._chance(0.4):
            estate, street, region = dice.choice(self._estates_zh)
            return f"{region}{street}{estate}{block}座{floor}樓{flat}室"
        estate, street, district, region = dice.choice(self._estates)
        return f"Flat {flat}, {floor}/F, Block {block}, {estate}, {street}, {district}, {region}"
