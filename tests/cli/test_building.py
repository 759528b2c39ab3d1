"""Environments built for real, from one tiny package: interrupted, killed, and started twice at once."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from bot.base.settings import REPOSITORY
from tests.cli.conftest import until

pytestmark = pytest.mark.chaos


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A checkout whose application is one package and one printing module."""
    place = tmp_path / "a checkout"
    (place / "requirements").mkdir(parents=True)
    (place / "bot" / "cli").mkdir(parents=True)
    (place / "candour").write_bytes((REPOSITORY / "candour").read_bytes())
    (place / "bot" / "cli" / "__main__.py").write_text("import tiny, sys\nprint('started', tiny.WORD, sys.argv[1:])\n")
    wheel = make_wheel(tmp_path / "wheels")
    lock(place, hashlib.sha256(wheel.read_bytes()).hexdigest())
    return place


def make_wheel(folder: Path) -> Path:
    folder.mkdir()
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    files = {
        "tiny.py": "WORD = 'whole'\n",
        "tiny-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
        "tiny-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, "tiny-1.0.dist-info/RECORD"])
    with zipfile.ZipFile(wheel, "w") as out:
        for name, text in {**files, "tiny-1.0.dist-info/RECORD": record}.items():
            out.writestr(name, text)
    return wheel


def lock(checkout: Path, digest: str) -> None:
    (checkout / "requirements" / "app.txt").write_text(f"tiny==1.0 \\\n    --hash=sha256:{digest}\n")


def start(checkout: Path, *argv: str) -> subprocess.Popen[str]:
    offline = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(checkout.parent / "wheels"), "PIP_CONFIG_FILE": os.devnull}
    return subprocess.Popen(
        [sys.executable, str(checkout / "candour"), *argv],
        env={**os.environ, **offline},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def test_a_killed_start_is_made_good_by_the_next_and_two_at_once_build_once(checkout: Path) -> None:
    killed = start(checkout, "doctor")
    until(lambda: (checkout / ".venv" / "bin" / "python").exists())
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert not (checkout / ".venv" / "candour-stamp").exists()

    first = start(checkout, "doctor", "an argument")
    second = start(checkout, "doctor")
    ends = [finish(first), finish(second)]
    killed.communicate()
    assert [status for status, _, _ in ends] == [0, 0]
    assert "started whole ['doctor', 'an argument']" in ends[0][1]
    said = ends[0][2] + ends[1][2]
    assert said.count("Making what is missing or out of date: application") == 1
    assert "waiting for it" in said

    status, out, err = finish(start(checkout, "cases"))
    assert (status, err) == (0, "")
    assert "started whole ['cases']" in out
    assert [path.name for path in checkout.glob(".venv-*.part")] == []


def test_ctrl_c_stops_the_building_and_the_next_start_repairs(checkout: Path) -> None:
    interrupted = start(checkout, "doctor")
    until(lambda: (checkout / ".venv").exists())
    os.killpg(interrupted.pid, signal.SIGINT)  # as a terminal does: to all of them
    status, _, err = finish(interrupted)
    assert status == 130
    assert "Traceback" not in err
    assert not (checkout / ".venv" / "candour-stamp").exists()
    assert finish(start(checkout, "doctor"))[0] == 0


def test_a_package_that_is_not_what_the_lock_says_is_refused_in_words(checkout: Path) -> None:
    lock(checkout, "0" * 64)
    status, _, err = finish(start(checkout, "doctor"))
    assert status == 1
    assert "DO NOT MATCH THE HASHES" in err
    assert err.strip().endswith("the next start begins it again.")
    assert not (checkout / ".venv" / "candour-stamp").exists()
