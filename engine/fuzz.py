"""Judges strings that nobody would write: random bytes, astral planes, combining marks, repetition, length.

Prints one line, `{"strings": N, "odd": M}`: how many were judged, and of how many the judgement was no ranking or no probability.
A crash of an encoder ends the process, which is what this is for.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

from engine.ground import prepare

SCRIPTS = ((0x20, 0x7E), (0x300, 0x36F), (0x600, 0x6FF), (0xE00, 0xE7F), (0x200B, 0x206F), (0x4E00, 0x9FFF), (0xD800, 0xDFFF))
LENGTHS = (3, 20, 20, 40, 40, 40, 40, 40, 40, 5000)  # mostly short: what is long costs fifty times as much


def _many(chance: random.Random) -> int:
    return chance.randint(1, chance.choice(LENGTHS))


def _bytes(chance: random.Random) -> str:
    return chance.randbytes(_many(chance)).decode("utf-8", chance.choice(["replace", "ignore", "surrogateescape"]))


def _any(chance: random.Random) -> str:
    return "".join(chr(chance.randint(1, 0x10FFFF)) for _ in range(_many(chance)))


def _script(chance: random.Random) -> str:
    low, high = chance.choice(SCRIPTS)
    return "".join(chr(chance.randint(low, high)) for _ in range(_many(chance)))


def _marks(chance: random.Random) -> str:
    return "a" + "".join(chr(chance.randint(0x300, 0x36F)) for _ in range(_many(chance)))


def _repeated(chance: random.Random) -> str:
    return chance.choice(["a", "字", "\ufdfa", "👩‍👩‍👧‍👦", "\0", ". ", "。", "? ! ", "９", "ß", "İ"]) * _many(chance)


KINDS: tuple[Callable[[random.Random], str], ...] = (_bytes, _any, _script, _marks, _repeated)


def _sound(judgement: object) -> bool:
    topics, dangers = judgement.topics, judgement.dangers  # type: ignore[attr-defined]
    chances = [chance for _, chance in (*topics, *dangers)]
    return bool(topics) and all(math.isfinite(chance) and 0 <= chance <= 1 for chance in chances)


def main(given: list[str] | None = None) -> int:
    """Judge as many strings as asked for."""
    parser = argparse.ArgumentParser(prog="engine.fuzz", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--strings", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args(given)
    prepare()
    from engine.mind.encoders import Encoders
    from engine.mind.judge import Judge

    chance = random.Random(asked.seed)  # noqa: S311 - a test, and it must be repeatable
    with tempfile.TemporaryDirectory() as folder:
        with tarfile.open(asked.model) as model:
            model.extractall(folder, filter="data")
        judge = Judge.restored(next(Path(folder).rglob("words.json")).parent, Encoders())
    odd = sum(not _sound(judge.judge(chance.choice(KINDS)(chance))) for _ in range(asked.strings))
    sys.stdout.write(json.dumps({"strings": asked.strings, "odd": odd}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
