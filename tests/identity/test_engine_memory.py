"""The memory of a real engine, read from outside after a check: codes, references, numbers and addresses are not in it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.conversations.engine import Engine
from tests.engine.running import Running, running_engine, trained_model
from tests.identity.conftest import Caller, House, Open, row

pytestmark = pytest.mark.engine

CHUNK = 16 * 1024 * 1024
ENCODINGS = ("utf-8", "utf-16-le")
"""How Python keeps a text: one byte a character, two where one of them is Chinese."""
KNOWN = "zqxvornik"
"""A word that says nothing of anybody: it does reach the engine, so the search is known to find what is there."""


@pytest.fixture(scope="module")
def real() -> Iterator[Running]:
    """The engine that was trained from the repository."""
    with running_engine(trained_model()) as running:
        yield running


def lying(pid: int, texts: list[str]) -> set[str]:
    """Which of these texts lie in the memory of a process."""
    # Without the zeros at the end: a search for them would stop at every byte of an empty page.
    wanted = {text: [text.encode(encoding).rstrip(b"\0") for encoding in ENCODINGS] for text in texts}
    most = max(len(form) for forms in wanted.values() for form in forms)
    found: set[str] = set()
    for line in Path(f"/proc/{pid}/maps").read_text(encoding="ascii", errors="replace").splitlines():
        begins, ends, rights = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()  # type: ignore[union-attr]
        if "w" not in rights or "[v" in line:
            continue
        for piece in _pieces(pid, int(begins, 16), int(ends, 16), most):
            found |= {text for text, forms in wanted.items() if text not in found and any(form in piece for form in forms)}
    return found


def _pieces(pid: int, begins: int, ends: int, overlap: int) -> Iterator[bytes]:
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for start in range(begins, ends, CHUNK):
            try:
                memory.seek(max(begins, start - overlap))
                yield memory.read(min(ends, start + CHUNK) - max(begins, start - overlap))
            except (OSError, ValueError):  # given back meanwhile, or a page nobody may read
                continue


def unused(real: Running, candidates: list[str], number: int) -> list[str]:
    """Texts that lie nowhere in the engine before anybody has said them."""
    there = lying(real.pid("engine"), candidates) | lying(real.pid("actions"), candidates)
    free = [one for one in candidates if one not in there]
    assert len(free) >= number
    return free[:number]


def test_nothing_that_proves_or_finds_a_person_lies_in_the_engines_memory(real: Running, open_house: Open) -> None:
    codes = unused(real, [f"{n * 7919 % 1_000_000:06}" for n in range(101, 107)], 2)
    numbers = ["96137428", "93580461"]
    mails = [f"quillon{n}.marbeck@wexley-mail.example" for n in (1, 2)]
    people = [row(f"P00{n}", mails[n - 1], f"{numbers[n - 1][:4]} {numbers[n - 1][4:]}") for n in (1, 2)]
    house = open_house(people, codes=codes)
    with closing(Engine(real.url, real.token, timeout_s=30)) as engine:
        heard = house.engine.ask

        def both(key: str, text: str, language: str) -> object:
            engine.ask(key, text, language)
            return heard(key, text, language)

        house.engine.ask = both  # type: ignore[method-assign, assignment]
        references = list(house.references.values())
        for said, patient in talk(house, references, codes, numbers, mails):
            patient.hears(said)
    assert house.engine.asked
    secrets = [*codes, *numbers, *mails, *(f"{one[:4]} {one[4:]}" for one in numbers)]
    secrets += [form for one in references for form in (one, one.replace("-", ""), one.lower(), one.replace("-", "").lower())]
    for name in ("engine", "actions"):
        found = lying(real.pid(name), [*secrets, KNOWN])
        assert found <= {KNOWN}, f"{len(found - {KNOWN})} of {len(secrets)} lie in the memory of {name}"
    assert KNOWN in lying(real.pid("engine"), [KNOWN])


def talk(
    house: House, references: list[str], codes: list[str], numbers: list[str], mails: list[str]
) -> Iterator[tuple[str, Caller]]:
    """What two patients say: outside a check, within it, after it, in other words and other widths."""
    wide = str.maketrans("0123456789", "０１２３４５６７８９")
    for number, (reference, phone, mail) in enumerate(zip(references, numbers, mails, strict=True)):
        patient = house.patient(network=f"n{number}")
        yield f"what happened {KNOWN} my reference is {reference}", patient
        yield f"my number is {phone}, or {phone[:4]} {phone[4:]}, or +852 {phone} and my mail is {mail}", patient
        yield f"我嘅電話係{phone}，電郵{mail}，參考編號{reference.lower()}", patient
        patient.asks_for_code(reference)
        yield "000000", patient
        yield f"the code is {house.code()}", patient
        for code in itertools.islice(codes, 2):  # after the check
            yield f"the code you sent was {code}", patient
            yield f"驗證碼 {code.translate(wide)}", patient
        yield f"call me at {phone.translate(wide)} please {KNOWN}", patient
