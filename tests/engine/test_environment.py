"""The engine's environment: locked by hash, without addresses, and with stand-ins that refuse."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.engine.running import PYTHON, ROOT

LOCK = (ROOT / "requirements" / "engine.txt").read_text()
PINS = (ROOT / "requirements" / "engine.in").read_text()


def inside(code: str) -> subprocess.CompletedProcess[str]:
    """Run a few lines in the engine's environment."""
    return subprocess.run([str(PYTHON), "-W", "ignore", "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_package_is_locked_by_hash() -> None:
    blocks = re.split(r"\n(?=\S)", LOCK.split("\n", 1)[1].strip())
    assert blocks
    for block in blocks:
        assert re.match(r"[A-Za-z0-9_.-]+==\S+ \\\n    --hash=sha256:[0-9a-f]{64}", block), block[:80]


def test_the_lock_holds_what_was_asked_and_no_address() -> None:
    asked = sorted(line for line in PINS.splitlines() if line and not line.startswith("#"))
    assert sorted(re.findall(r"^(\S+==\S+) \\", LOCK, re.MULTILINE)) == asked
    assert "://" not in LOCK
    assert not re.search(r"^(-|--)(i|index-url|extra-index-url|find-links|trusted-host)\b", LOCK, re.MULTILINE)


@pytest.mark.engine
def test_a_package_left_out_imports_and_refuses_to_be_used() -> None:
    code = (
        "from engine.stand_ins import LeftOut, plant; plant(); plant()\n"
        "from twilio.rest import Client\n"
        "class Output(Client): pass\n"
        "try: Client('a')\n"
        "except LeftOut: print('refused')\n"
    )
    assert inside(code).stdout == "refused\n"


@pytest.mark.engine
def test_a_package_that_is_there_is_never_replaced() -> None:
    code = "from engine import stand_ins as s; s.LEFT_OUT |= {'numpy'}; s.plant(); import numpy; print(numpy.__version__)"
    assert inside(code).stdout.startswith("1.23")


@pytest.mark.engine
def test_the_bounded_memory_is_rasas_store_and_drops_what_grew_too_long() -> None:
    code = (
        "import asyncio; from engine.ground import prepare; prepare()\n"
        "from engine.memory import BoundedMemory; from rasa.shared.core.domain import Domain\n"
        "from rasa.shared.core.events import UserUttered\n"
        "async def go():\n"
        "    memory = BoundedMemory(Domain.empty(), most=3, events=10)\n"
        "    for key in 'abcdef': await memory.get_or_create_tracker(key)\n"
        "    print(sorted(await memory.keys()))\n"
        "    tracker = await memory.retrieve('f')\n"
        "    for _ in range(12): tracker.update(UserUttered('x'))\n"
        "    await memory.save(tracker)\n"
        "    print(await memory.retrieve('f'))\n"
        "asyncio.run(go())\n"
    )
    assert inside(code).stdout == "['d', 'e', 'f']\nNone\n"
