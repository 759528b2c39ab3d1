"""The bench's command line: `python -m bench NAME`; `--help` lists what is measured.

Everything is started in a fresh folder and stopped again; the installation in the home folder is only
asked for its trained model. Figures are taken on what the machine has left: run it alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import fuzz, identity, memory, roster, start, thread, turns, webhooks, yardsticks
from bench.campaigns import chaos, speed
from bench.desk import console
from bench.house import NotUp, trained_model
from bot.base.errors import CandourError
from bot.base.settings import Settings, load_settings

NO_STOCK = "not measured: it needs an environment of its own (1.7 GB) and some minutes; ask for it with --stock"


def _turns(asked: argparse.Namespace, settings: Settings, folder: Path) -> dict[str, Any]:
    home, model = folder / "home", trained_model(settings)
    result = turns.run(home, model, clients=asked.clients, turns=asked.turns, database_url=asked.database_url)
    sticks: dict[str, Any] = {"rules_only": None, "stock": None, "stock_note": "" if asked.stock else NO_STOCK}
    if asked.yardsticks:
        sticks["rules_only"] = yardsticks.rules_only(folder / "rules", settings, clients=asked.clients, turns=asked.turns)
    if asked.stock:
        sticks["stock"] = yardsticks.stock(folder / "stock", clients=asked.clients, turns=min(asked.turns, 1000))
    for name in ("rules_only", "stock"):
        if sticks[name]:
            sticks[name]["ours_to_it"] = round(result["turns_per_s"] / sticks[name]["turns_per_s"], 2)
    return {**result, "yardsticks": sticks}


def _webhooks(asked: argparse.Namespace, settings: Settings, folder: Path) -> dict[str, Any]:
    home, load = folder / "home", {"per_s": asked.per_s, "seconds": asked.seconds}
    if asked.postgres:
        with webhooks.postgres() as database_url:
            return webhooks.run(home, **load, worker=asked.worker, database_url=database_url)
    return webhooks.run(home, **load, worker=asked.worker, database_url=asked.database_url)


def _memory(asked: argparse.Namespace, settings: Settings, folder: Path) -> dict[str, Any]:
    return memory.run(folder / "home", trained_model(settings), sessions=asked.sessions)


def _long_thread(asked: argparse.Namespace, settings: Settings, folder: Path) -> dict[str, Any]:
    return thread.run(folder / "home", trained_model(settings), turns=asked.turns)


def _start(asked: argparse.Namespace, settings: Settings, folder: Path) -> dict[str, Any]:
    return start.run(folder / "home", trained_model(settings))


def _roster(asked: argparse.Namespace, settings: Settings, folder: Path) -> dict[str, Any]:
    return roster.run(folder, rows=asked.rows, database_url=asked.database_url)


def _identity(asked: argparse.Namespace, settings: Settings, folder: Path) -> dict[str, Any]:
    return identity.run(folder, requests=asked.requests, database_url=asked.database_url)


def _campaign(asked: argparse.Namespace, settings: Settings, folder: Path) -> dict[str, Any]:
    return speed.run(folder / "home", people=asked.people, texts=asked.texts, database_url="")


def _console(asked: argparse.Namespace, settings: Settings, folder: Path) -> dict[str, Any]:
    size = {"people": asked.people, "threads": asked.threads, "live": asked.cases, "pages": asked.pages}
    if asked.postgres:
        with webhooks.postgres() as database_url:
            return console.run(folder / "home", **size, database_url=database_url)
    return console.run(folder / "home", **size, database_url=asked.database_url)


def _chaos(asked: argparse.Namespace, settings: Settings, folder: Path) -> dict[str, Any]:
    return chaos.run(folder, seeds=asked.seeds, first=asked.first, people=asked.people, on_postgres=asked.postgres)


def _fuzz(asked: argparse.Namespace, settings: Settings, folder: Path) -> dict[str, Any]:
    return fuzz.run(trained_model(settings), strings=asked.strings, seed=asked.seed)


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="candour bench", description=__doc__)
    kinds = parser.add_subparsers(required=True, metavar="MEASUREMENT")

    def kind(name: str, work: Callable[[argparse.Namespace, Settings, Path], dict[str, Any]], words: str) -> Any:
        one = kinds.add_parser(name, help=words, description=words)
        one.add_argument("--json", action="store_true", help="one line of JSON instead of a readable object")
        one.set_defaults(work=work)
        return one

    one = kind("turns", _turns, "from the POST of a turn to its stored reply on the event stream, and the yardsticks")
    one.add_argument("--clients", type=int, default=1, help="patients at the same time")
    one.add_argument("--turns", type=int, default=300, help="turns of all of them together")
    one.add_argument("--database-url", default="", help="an empty database to use instead of SQLite")
    one.add_argument("--no-yardsticks", dest="yardsticks", action="store_false", help="only ours")
    one.add_argument("--stock", action="store_true", help="also stock Rasa; makes its environment when it is missing")
    one = kind("webhooks", _webhooks, "from the moment a signed turn is posted to its acknowledgement, and what was stored")
    one.add_argument("--per-s", type=int, default=200, help="turns a second")
    one.add_argument("--seconds", type=int, default=20, help="for how long")
    one.add_argument("--worker", action="store_true", help="with a worker that answers meanwhile, over an engine that is down")
    one.add_argument("--database-url", default="", help="an empty database to use instead of SQLite")
    one.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own, made for this and taken away again")
    kind("memory", _memory, "resident memory of engine and web over many sessions").add_argument(
        "--sessions", type=int, default=10_000
    )
    kind("long-thread", _long_thread, "the last turns of a long thread against its first").add_argument(
        "--turns", type=int, default=500
    )
    kind("start", _start, "from `up` to the first answer")
    one = kind("roster", _roster, "from a roster's file to its persons on file, and the same file again with changes")
    one.add_argument("--rows", type=int, default=100_000)
    one.add_argument("--database-url", default="", help="an empty database to use instead of SQLite")
    one = kind("identity", _identity, "whether the time of an answer tells who is on file")
    one.add_argument("--requests", type=int, default=400, help="of known persons, and as many of unknown ones")
    one.add_argument("--database-url", default="", help="an empty database to use instead of SQLite")
    _more(kind)
    return parser


def _more(kind: Callable[..., Any]) -> None:
    """The rest of the measurements."""
    one = kind("campaign", _campaign, "from a frozen audience to everything handed over, beside a plain loop and bare HTTP")
    one.add_argument("--people", type=int, default=100_000)
    one.add_argument("--texts", type=int, default=2_000, help="how many of them get texts")
    one = kind("console", _console, "how long the team waits for its pages when the desk is at its busiest")
    one.add_argument("--people", type=int, default=100_000, help="persons on file")
    one.add_argument("--threads", type=int, default=50_000)
    one.add_argument("--cases", type=int, default=5_000, help="live ones; three times as many have ended")
    one.add_argument("--pages", type=int, default=200, help="of each kind that are opened")
    one.add_argument("--database-url", default="", help="an empty database to use instead of SQLite")
    one.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own, made for this and taken away again")
    one = kind("chaos", _chaos, "campaigns whose processes are killed at random moments, counted afterwards by an SQL script")
    one.add_argument("--seeds", type=int, default=50, help="how many campaigns")
    one.add_argument("--first", type=int, default=1, help="the first seed: a run that failed is repeated by its number")
    one.add_argument("--people", type=int, default=2_000)
    one.add_argument("--postgres", action="store_true", help="on a PostgreSQL made for each of them and taken away again")
    one = kind("fuzz", _fuzz, "strings that nobody would write, judged by the engine's understanding")
    one.add_argument("--strings", type=int, default=100_000)
    one.add_argument("--seed", type=int, default=1)


def main() -> int:
    """Measure what is asked for; the result goes to standard output, all else to standard error."""
    asked = arguments().parse_args()
    try:
        with tempfile.TemporaryDirectory(prefix="candour-bench-") as folder:
            result = asked.work(asked, load_settings(), Path(folder))
    except (CandourError, NotUp, RuntimeError) as failed:
        sys.stderr.write(f"{failed}\n")
        return 1
    sys.stdout.write(json.dumps(result, ensure_ascii=False, indent=None if asked.json else 1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
