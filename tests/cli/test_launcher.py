"""The launcher: what it takes for whole, what it needs, and what it says when something is missing."""

from __future__ import annotations

import ast
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.base.settings import REPOSITORY
from bot.cli import state
from tests.cli.conftest import load_launcher


@pytest.fixture
def launcher(tmp_path: Path) -> Any:
    shutil.copy(REPOSITORY / "candour", tmp_path / "candour")
    (tmp_path / "requirements").mkdir()
    for name in ("app", "test", "engine"):
        (tmp_path / "requirements" / f"{name}.txt").write_text(f"{name}-package==1.0\n")
    return load_launcher(tmp_path / "candour")


def make_whole(environment: Any) -> None:
    python = Path(environment.python)
    python.parent.mkdir(parents=True, exist_ok=True)
    python.touch()
    (Path(environment.folder) / "candour-stamp").write_text("\n".join(environment.wanted()) + "\n")


def names(launcher: Any, *argv: str) -> list[tuple[str, int]]:
    return [(one.name, len(one.locks)) for one in launcher.environments(argv)]


def test_the_launcher_is_written_for_python_3_8() -> None:
    ast.parse((REPOSITORY / "candour").read_text(encoding="utf-8"), feature_version=(3, 8))


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ((), [("application", 1)]),
        (("doctor",), [("application", 1)]),
        (("up",), [("application", 1), ("engine", 1)]),
        (("--debug", "ask", "What happened?"), [("application", 1), ("engine", 1)]),
        (("up", "--help"), [("application", 1)]),
        (("test",), [("application", 2), ("engine", 1)]),
        (("test", "fast"), [("application", 2)]),
    ],
)
def test_a_command_needs_only_the_environments_it_uses(launcher: Any, argv: tuple[str, ...], expected: Any) -> None:
    assert names(launcher, *argv) == expected


def test_an_environment_without_its_stamp_is_not_whole(launcher: Any) -> None:
    (one,) = launcher.environments(["doctor"])
    make_whole(one)
    assert one.missing() == []
    (Path(one.folder) / "candour-stamp").unlink()
    assert one.missing() == one.locks


def test_an_environment_that_lost_its_interpreter_is_not_whole(launcher: Any) -> None:
    (one,) = launcher.environments(["doctor"])
    make_whole(one)
    Path(one.python).unlink()
    Path(one.python).symlink_to("nowhere")
    assert one.missing() == one.locks


def test_a_changed_lock_makes_the_environment_stale(launcher: Any) -> None:
    (one,) = launcher.environments(["doctor"])
    make_whole(one)
    Path(one.locks[0]).write_text("app-package==1.1\n")
    assert one.missing() == one.locks


def test_the_tests_packages_are_put_on_top_of_a_whole_application(launcher: Any) -> None:
    make_whole(launcher.environments(["doctor"])[0])
    (one,) = launcher.environments(["test", "fast"])
    assert [Path(lock).name for lock in one.missing()] == ["test.txt"]


def test_an_application_with_the_tests_packages_is_enough_to_serve(launcher: Any) -> None:
    make_whole(launcher.environments(["test", "fast"])[0])
    assert launcher.environments(["doctor"])[0].missing() == []


def test_a_moved_checkout_builds_its_environments_anew(launcher: Any, tmp_path: Path) -> None:
    make_whole(launcher.environments(["doctor"])[0])
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for name in ("candour", "requirements", ".venv"):
        shutil.move(tmp_path / name, moved / name)
    (one,) = load_launcher(moved / "candour").environments(["doctor"])
    assert one.missing() == one.locks


def test_environments_in_use_are_not_taken_from_under_a_running_candour(
    launcher: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CANDOUR_HOME", raising=False)
    (one,) = launcher.environments(["doctor"])
    make_whole(one)
    Path(one.locks[0]).write_text("app-package==1.1\n")
    with state.held(state.up_lock(tmp_path / "var"), wait=False):
        assert launcher.main(["doctor"]) == 1
    assert "stop it (Ctrl-C there)" in capfd.readouterr().err
    assert (Path(one.folder) / "candour-stamp").exists()


def test_an_incomplete_checkout_is_said_in_words(launcher: Any, capfd: pytest.CaptureFixture[str]) -> None:
    Path(launcher.environments(["doctor"])[0].locks[0]).unlink()
    assert launcher.main(["doctor"]) == 1
    assert "requirements/app.txt is missing" in capfd.readouterr().err


def test_without_python_3_11_one_sentence_says_how_to_get_it(
    launcher: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "version_info", (3, 8, 18))
    for name in ("PATH", "HOME", "PYENV_ROOT"):
        monkeypatch.setenv(name, str(tmp_path))
    assert launcher.main(["doctor"]) == 1
    said = capfd.readouterr().err
    assert "needs Python 3.11" in said
    assert "Traceback" not in said


def test_a_pyenv_shim_without_a_version_behind_it_is_passed_over(
    launcher: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shim, real = tmp_path / "bin" / "python3.11", tmp_path / "versions" / "3.11.9" / "bin" / "python3.11"
    for path, text in ((shim, "exit 127"), (real, f'exec "{sys.executable}" "$@"')):
        path.parent.mkdir(parents=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    monkeypatch.setattr(sys, "version_info", (3, 8, 18))
    monkeypatch.setenv("PATH", str(shim.parent))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert Path(launcher.find_python()).exists()
