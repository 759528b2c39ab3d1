"""An installation that sends campaigns: simulator, web and worker as processes of their own, and invented people on file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert

from bench.house import free_ports
from bot.assembly import office_of
from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.settings import REPOSITORY, Settings
from bot.base.vault import BlindIndex, Vault
from bot.campaigns import life
from bot.campaigns.office import Office
from bot.campaigns.plan import Plan
from bot.channels.registry import channels
from bot.cli import installation, provider, services
from bot.cli.supervisor import surroundings
from bot.conversations.speaking.publication import Library
from bot.patients.models import CONTACT, RECORD, Category, ContactKind, ContactPoint, Person, RosterImport

BATCH = 1000
LANGUAGES = ("zh-Hant", "en", "zh-Hans")
HELD = ((Category.IDENTITY, Category.CONTACT), (Category.IDENTITY, Category.MEDICAL), (Category.IDENTITY,))
NOTICE = "first_notice"
TOLD = (
    *("home", "database_url", "web_port", "engine_url", "provider_timeout_s", "simulator_port", "limit_address_requests"),
    "campaign_test_addresses",
)


@contextmanager
def _silent(title: str) -> Iterator[Any]:
    yield lambda step, of, words: None


class Installation:
    """One home with its processes; `seed` and `faults` are the simulator's."""

    def __init__(
        self, home: Path, *, database_url: str = "", seed: int = 0, faults: str = "", speed: float = 60, **given: Any
    ) -> None:
        web, simulator, nowhere = free_ports(3)
        settings = Settings(
            _env_file=None,
            home=home,
            database_url=database_url,
            web_port=web,
            simulator_port=simulator,
            engine_url=f"http://127.0.0.1:{nowhere}",
            **given,
        )
        home.mkdir(parents=True, exist_ok=True)
        prepared = installation.prepare(settings, lambda _: None, _silent, demo=True).settings
        self.settings = provider.with_simulator(prepared)
        self._simulated = ["--seed", str(seed), "--speed", str(speed), *(["--faults", faults] if faults else [])]
        self.database = Database(self.settings.database)
        self.vault = Vault(self.settings.secret("vault_keys"))
        self.index = BlindIndex(self.settings.secret("index_keys"))
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def simulator(self) -> str:
        """The simulator's address."""
        return f"http://127.0.0.1:{self.settings.simulator_port}"

    def office(self) -> Office:
        """An office of this process, beside the worker's."""
        return office_of(
            self.settings,
            database=self.database,
            vault=self.vault,
            index=self.index,
            channels=channels(self.settings, system_clock),
            library=Library(),
            clock=system_clock,
            holder="bench",
        )

    def start(self, *names: str) -> None:
        """Start these processes: `simulator`, `web`, `worker`; several of one kind are told apart by `worker:2`."""
        for name in names:
            told = {f"CANDOUR_{one.upper()}": str(value) for one in TOLD if (value := getattr(self.settings, one))}
            environment = surroundings({**told, **provider.told(self.settings), **provider.addresses(self.settings)}, bare=True)
            command = [sys.executable, "-m", f"bot.{name.partition(':')[0]}"]
            if name == "simulator":
                command = [*provider.command(self.settings), *self._simulated]
            with (self.settings.home / f"{name}.log").open("ab") as log:
                self._processes[name] = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stdout=log, stderr=log)  # noqa: S603
            if name == "simulator":
                awaits(lambda: _answers(f"{self.simulator}/simulator/health"), "the simulator answers")
            if name == "web":
                awaits(lambda: _answers(f"{services.web_address(self.settings)}/health/live"), "web answers")

    def kill(self, name: str) -> None:
        """End a process without a word."""
        process = self._processes.pop(name)
        process.kill()
        process.wait()

    def process_id(self, name: str) -> int:
        """Of a process that runs."""
        return self._processes[name].pid

    def close(self) -> None:
        """End everything."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.wait(120)  # on crowded cores
        self._processes.clear()
        self.database.close()

    def asked(self, path: str, **query: Any) -> Any:
        """What the simulator says."""
        answer = httpx.get(f"{self.simulator}/simulator/{path}", params=query, timeout=60, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def told(self, path: str, **body: Any) -> None:
        """Tell the simulator something."""
        httpx.post(f"{self.simulator}/simulator/{path}", json=body, timeout=60, trust_env=False).raise_for_status()

    def accepted(self, channel: str) -> list[dict[str, Any]]:
        """All that the provider accepted on a channel."""
        found: list[dict[str, Any]] = []
        after = 0
        while page := self.asked("accepted", channel=channel, after=after, limit=5000)["accepted"]:
            found += page
            after = page[-1]["n"]
        return found

    def people(self, number: int, *, kinds: Sequence[ContactKind] = (ContactKind.EMAIL, ContactKind.MOBILE)) -> None:
        """Put so many invented persons on file."""
        now = system_clock()
        with self.database.writing() as session:
            imported = RosterImport(digest="", by="bench", at=now, counts={})
            session.add(imported)
            session.flush()
            import_id = imported.id
        for start in range(0, number, BATCH):
            persons = [self._person(one, import_id) for one in range(start, min(number, start + BATCH))]
            with self.database.writing() as session:
                ids = session.scalars(insert(Person).returning(Person.id, sort_by_parameter_order=True), persons).all()
                points = [self._point(one + start, person, kind, now) for one, person in enumerate(ids) for kind in kinds]
                session.execute(insert(ContactPoint), points)

    def _person(self, one: int, import_id: int) -> dict[str, Any]:
        held = [kind.value for kind in HELD[one % len(HELD)]]
        record = {"key": f"B{one}", "name": f"CHAN Tai Man {one}", "name_zh": "陳大文", "categories": held}
        return {
            "key_entry": self.index.index("key", f"B{one}"),
            "sealed_record": self.vault.seal(json.dumps(record), RECORD),
            "language": LANGUAGES[one % len(LANGUAGES)] if one % 10 else "en",
            "import_id": import_id,
            "minor": False,
            "deceased": False,
            "staff": False,
            "protected": False,
            "not_by": "",
        }

    def _point(self, one: int, person: int, kind: ContactKind, now: Any) -> dict[str, Any]:
        value = f"p{one}@mail.example" if kind is ContactKind.EMAIL else f"+8526{one:07}"
        return {
            "person_id": person,
            "kind": kind.value,
            "entry": self.index.index("email" if kind is ContactKind.EMAIL else "phone", value),
            "sealed_value": self.vault.seal(value, CONTACT),
            "place": 0,
            "safe": False,
            "source": "roster",
            "added_at": now,
        }

    def campaign(self, name: str, plan: Plan, number: int = 1) -> float:
        """Draft, submit and approve a campaign for the so many-th notice; returns the seconds that freezing took."""
        office = self.office()
        with self.database.reading() as session:
            version = f"{number}.{office.texts.library.current(session, system_clock()).id}"  # type: ignore[attr-defined]
        with self.database.writing() as session:
            life.new(session, self.vault, name=name, notice=NOTICE, version=version, plan=plan, by="author", at=system_clock())
        began = time.perf_counter()
        life.submit(office, name, by="author")
        took = time.perf_counter() - began
        life.approve(office, name, by="approver")
        return took


def awaits(question: Callable[[], Any], what: str, seconds: float = 120.0) -> Any:
    """Ask until the answer is yes; raises RuntimeError naming what did not come true."""
    ends = time.monotonic() + seconds
    while not (found := question()):
        if time.monotonic() > ends:
            raise RuntimeError(f"not within {seconds} s: {what}")
        time.sleep(0.05)
    return found


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, timeout=2, trust_env=False).status_code < 500
    except httpx.HTTPError:
        return False


def resident_mb(pid: int) -> float:
    """What a process holds in memory now."""
    with Path(f"/proc/{pid}/statm").open(encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def processor_s(pid: int) -> float:
    """Seconds of a processor that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
