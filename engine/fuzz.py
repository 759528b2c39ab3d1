"""Judges strings that nobody would write: random bytes, astral planes, combining marks, repetition, length.

Prints one line, `{"strings": N, "odd": M}`: how many were judged, and of how many the judgement was no ranking or no probability.
A crash of an encoder ends the process, which is what this is for. With `--thousands N` it tells as well how long N texts of a
thousand Chinese characters took, the dearest there is to understand.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from engine.ground import prepare

if TYPE_CHECKING:
    from engine.mind.judge import Judge, Judgement

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


CLAUSES = (
    *("我上個月先喺你哋中環嗰間睇完醫生", "護士叫我留低電話同地址", "跟住就收到你哋封電郵", "我太太同兩個小朋友都係你哋病人"),
    *(
        "打咗三次熱線都冇人聽",
        "我阿媽八十幾歲",
        "佢成日收到奇怪電話",
        "想問清楚究竟有咩資料俾人攞走",
        "我份驗血報告仲未有",
        "請你哋覆我",
    ),
)
MARKS = "，，。！？"


def _thousand(chance: random.Random) -> str:
    """A thousand characters as somebody writes who has much to say."""
    text = ""
    while len(text) < 1000:
        text += chance.choice(CLAUSES) + chance.choice(MARKS)
    return text[:1000]


def _sound(judgement: Judgement) -> bool:
    topics, dangers = judgement.topics, judgement.dangers
    chances = [chance for _, chance in (*topics, *dangers)]
    return bool(topics) and all(math.isfinite(chance) and 0 <= chance <= 1 for chance in chances)


def main(given: list[str] | None = None) -> int:
    """Judge as many strings as asked for."""
    parser = argparse.ArgumentParser(prog="engine.fuzz", description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--strings", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--thousands", type=int, default=0)
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
    told = {"strings": asked.strings, "odd": odd}
    if asked.thousands:
        took = sorted(_took(judge, _thousand(chance)) for _ in range(asked.thousands))
        told |= {"thousand_chinese_p50_ms": took[len(took) // 2], "thousand_chinese_worst_ms": took[-1]}
    sys.stdout.write(json.dumps(told) + "\n")
    return 0


def _took(judge: Judge, text: str) -> int:
    before = time.perf_counter()
    judge.judge(text)
    return round((time.perf_counter() - before) * 1000)


if __name__ == "__main__":
    sys.exit(main())
