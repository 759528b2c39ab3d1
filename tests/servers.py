"""A real PostgreSQL for the tests, made from the binaries of the operating system.

`initdb` and `pg_ctl` in a temporary folder, as an unprivileged person, on a Unix socket only and
without fsync. It stops with the test run, also after Ctrl-C.
"""

from __future__ import annotations

import atexit
import itertools
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg

SAYS_WHAT_TO_INSTALL = "PostgreSQL's server programs are missing: apt-get install postgresql"
ADMIN = "candour"


class PostgresServer:
    """A running server; `make` gives the address of a fresh database."""

    def __init__(self, *, durable: bool = False) -> None:
        """A server without fsync, which tests do not need; `durable` leaves everything as the operating system ships it."""
        self._programs = programs()
        self._person = unprivileged()
        self.folder = Path(tempfile.mkdtemp(prefix="candour-pg-"))
        if self._person is not None:
            os.chown(self.folder, pwd.getpwnam(self._person).pw_uid, -1)
        self._numbers = itertools.count(1)
        self._stopped = False
        atexit.register(self.stop)
        self._run("initdb", "-D", str(self._data), "-U", ADMIN, "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
        fast = "-c fsync=off -c synchronous_commit=off -c full_page_writes=off -c max_connections=60 -c shared_buffers=32MB"
        fast += " -c autovacuum=off"  # its visits to the template would keep it from being copied
        where = f"-c listen_addresses='' -c unix_socket_directories='{self.folder}'"
        options = where if durable else f"{where} {fast}"
        self._run("pg_ctl", "-D", str(self._data), "-l", str(self.folder / "log"), "-w", "-t", "120", "-o", options, "start")

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [str(self._programs / program), *arguments],
            user=self._person,
            cwd=self.folder,
            env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # not a pipe: the server inherits it and would keep it open
            stderr=(problems := (self.folder / f"{program}.err").open("w+")),
            start_new_session=True,  # Ctrl-C reaches the tests first; they stop the server
            check=False,
        )
        with problems:
            problems.seek(0)
            assert done.returncode == 0, f"{program} failed: {problems.read().strip()}"

    def url(self, database: str) -> str:
        """The SQLAlchemy address of a database on this server."""
        return f"postgresql+psycopg://{ADMIN}@/{database}?host={self.folder}"

    def make(self, template: str = "template0", name: str | None = None) -> str:
        """Make a database and return its name."""
        name = name or f"test_{next(self._numbers)}"
        self._ask(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return name

    @contextmanager
    def copies(self, template: str) -> Iterator[Callable[[], str]]:
        """Makes copies of a database: the next one is copied while the last one is in use."""
        with ThreadPoolExecutor(1, thread_name_prefix="postgres") as aside:
            waiting = [aside.submit(self.make, template)]

            def take() -> str:
                waiting.append(aside.submit(self.make, template))
                return waiting.pop(0).result()

            yield take

    def drop(self, name: str) -> None:
        """Drop a database, also while somebody is connected."""
        self._ask(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def _ask(self, statement: Any) -> None:
        with psycopg.connect(host=str(self.folder), user=ADMIN, dbname="postgres", autocommit=True) as connection:
            connection.execute(statement)

    def stop(self) -> None:
        """Stop the server and remove its folder."""
        if self._stopped:
            return
        self._stopped = True
        if (self._data / "postmaster.pid").exists():
            self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "-w", "-t", "60", "stop")
        shutil.rmtree(self.folder, ignore_errors=True)


def programs(root: Path = Path("/usr/lib/postgresql")) -> Path:
    """The folder of the newest server programs; a failing error when there is none."""
    found = sorted(root.glob("[0-9]*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    assert found, SAYS_WHAT_TO_INSTALL
    return found[-1].parent


def unprivileged() -> str | None:
    """Whom to run the server as: PostgreSQL refuses root. None means whoever runs the tests."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    raise AssertionError("neither `postgres` nor `nobody` exists here, and PostgreSQL refuses root")
