"""The test suite's own PostgreSQL: found or asked for in words, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from bot.base.schema import REPOSITORY
from tests import servers

WAITING = """
import time
import pytest

@pytest.mark.postgres
def test_waits(postgres_server):
    print("RUNNING", postgres_server.folder, flush=True)
    time.sleep(60)
"""


def test_missing_programs_are_an_error_that_says_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="apt-get install postgresql"):
        servers.programs(tmp_path)


@pytest.mark.postgres
def test_after_ctrl_c_no_server_is_left(tmp_path: Path) -> None:
    test = REPOSITORY / "tests" / "base" / f"ctrl_c_{os.getpid()}.py"  # beside conftest.py, under a name nobody collects
    test.write_text(WAITING)
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", str(test)],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        line = next(line for line in process.stdout if "RUNNING" in line)
        folder = Path(line.split()[-1])
        server = int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)
    finally:
        test.unlink()
    assert not folder.exists()
    assert not runs(server)


def runs(process_id: int) -> bool:
    """Whether a process runs; one that has ended and waits to be collected by its parent does not."""
    try:
        status = Path(f"/proc/{process_id}/stat").read_text()
    except FileNotFoundError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
