"""How fast a roster comes in, how much memory it takes, and how that compares with merely reading the file.

Each measurement is a process of its own on a fresh database: what it holds at most is what the kernel says of it.
"""

from __future__ import annotations

import csv
import json
import resource
import select
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event

from bot.base import leases, schema
from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.settings import REPOSITORY
from bot.base.vault import BlindIndex, Vault, new_key
from bot.patients.roster.judging import judged
from bot.patients.sample import writing
from bot.patients.sample.writing import COLUMNS

SEED = 7
AGAIN = ("seconds", "cpu_s", "applying_s", "longest_transaction_ms", "another_writer", "rss_mb")
EVERY_S = 0.02


def run(folder: Path, *, rows: int, database_url: str) -> dict[str, Any]:
    """Import that many invented persons, then the same file again, then one with changes; figures of each."""
    small, large = folder / "small.csv", folder / "large.csv"
    for path, count in ((small, max(rows // 10, 1)), (large, rows)):
        with path.open("w", encoding="utf-8", newline="") as file:
            writing.write(file, count, SEED)
    keys = json.dumps([new_key("v1"), new_key("i1")])
    plain = _plain(large)
    url = database_url or f"sqlite:///{folder / 'large.sqlite3'}"
    first = _child(large, url, keys)
    again = _child(_changed(large, folder / "changed.csv"), url, keys)
    a_tenth = _child(small, f"sqlite:///{folder / 'small.sqlite3'}", keys)
    return {
        "rows": rows,
        "rows_per_s": round(rows / first["seconds"], 1),
        "seconds": first["seconds"],
        "cpu_s": first["cpu_s"],
        "applying_s": first["applying_s"],
        "longest_transaction_ms": first["longest_transaction_ms"],
        "another_writer": first["another_writer"],
        "rss_mb": first["rss_mb"],
        "rss_mb_at_a_tenth": a_tenth["rss_mb"],
        "file_mb": round(large.stat().st_size / 2**20, 1),
        "plain_csv_s": plain,
        "ratio_to_plain_csv": round(first["seconds"] / plain, 1),
        "again": {"changed": again["changed"], **{name: again[name] for name in AGAIN}},
    }


def _plain(path: Path) -> float:
    began = time.perf_counter()
    with path.open(encoding="utf-8", newline="") as file:
        for _ in csv.reader(file):
            pass
    return round(time.perf_counter() - began, 3)


def _changed(path: Path, to: Path) -> Path:
    """The same file with another language in every hundredth row."""
    place = list(COLUMNS).index(next(column for column in COLUMNS if column.value == "language"))
    with path.open(encoding="utf-8", newline="") as source, to.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        for number, cells in enumerate(csv.reader(source)):
            kept = cells[:-1]
            if number and number % 100 == 0:
                kept[place] = "tl" if kept[place] == "en" else "en"
            writer.writerow(kept)
    return to


def _child(path: Path, url: str, keys: str) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.roster", str(path), url, keys]
    done = subprocess.run(command, cwd=REPOSITORY, stdout=subprocess.PIPE, check=False)  # noqa: S603 - our own program
    if done.returncode:
        raise RuntimeError("The import failed; the lines above say why.")
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def measure(path: Path, url: str, keys: str) -> dict[str, Any]:
    """One import in this process, while another one wants to write fifty times a second."""
    vault_keys, index_keys = json.loads(keys)
    schema.migrate(url)
    database = Database(url)
    longest = _longest_transaction(database)
    began = time.perf_counter()
    used = resource.getrusage(resource.RUSAGE_SELF)
    with judged(path, database, Vault(vault_keys), BlindIndex(index_keys)) as judging:
        command = [sys.executable, "-m", "bench.roster", url]
        other = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
        assert other.stdout is not None
        other.stdout.readline()
        asked = time.perf_counter()
        judging.apply(by="bench", at=system_clock())
        ended = time.perf_counter()
    after = resource.getrusage(resource.RUSAGE_SELF)
    waited, _ = other.communicate(b"stop", 30)
    return {
        "seconds": round(ended - began, 2),
        "cpu_s": round(after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime, 2),
        "applying_s": round(ended - asked, 2),
        "longest_transaction_ms": round(max(longest) * 1000, 1),
        "another_writer": json.loads(waited),
        "rss_mb": round(after.ru_maxrss / 1024, 1),
        "changed": judging.judgement.changed,
    }


def _longest_transaction(database: Database) -> list[float]:
    begun, lasted = [0.0], [0.0]

    def begin(connection: Connection) -> None:
        begun[0] = time.perf_counter()

    def commit(connection: Connection) -> None:
        if connection.get_execution_options().get("candour_immediate"):
            lasted.append(time.perf_counter() - begun[0])

    event.listen(database.engine, "begin", begin)
    event.listen(database.engine, "commit", commit)
    return lasted


def write_beside(url: str) -> dict[str, Any]:
    """Write as a door does until something comes over standard input; how long it took each time."""
    database, took = Database(url), []
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not select.select([sys.stdin], [], [], EVERY_S)[0]:
        began = time.perf_counter()
        with database.writing() as session:
            leases.take(session, name="bench", holder="bench", at=system_clock(), seconds=1)
        took.append(time.perf_counter() - began)
    took.sort()
    return {"writes": len(took), "p99_ms": round(took[int(len(took) * 0.99)] * 1000, 1), "most_ms": round(took[-1] * 1000, 1)}


if __name__ == "__main__":
    done = measure(Path(sys.argv[1]), sys.argv[2], sys.argv[3]) if len(sys.argv) > 2 else write_beside(sys.argv[1])
    sys.stdout.write(json.dumps(done))
