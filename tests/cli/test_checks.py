"""How checks are run and counted: what fails twice fails, what fails once is named."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bot.cli.commands.checks import UNSTEADY, Check, Result, run

UNSTEADY_TEST = """
from pathlib import Path

def test_passes():
    pass

def test_passes_the_second_time():
    mark = Path(__file__).with_name("was-here")
    seen = mark.exists()
    mark.touch()
    assert seen
"""
BROKEN_TEST = "def test_is_broken():\n    assert False\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project of its own, so that the tests in it are nobody else's."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pytest.ini").touch()
    (tmp_path / "project" / "test_unsteady.py").write_text(UNSTEADY_TEST)
    return tmp_path / "project"


def pytest_on(folder: Path) -> Check:
    report = folder.parent / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-c", str(folder / "pytest.ini"), str(folder), "--junit-xml", str(report)]
    return Check("tests", command, counts=True)


def test_a_test_that_fails_once_is_named_and_does_not_fail_the_check(folder: Path) -> None:
    result = run(pytest_on(folder), folder.parent)
    assert result == Result(0, 2, (), ("test_unsteady::test_passes_the_second_time",))


def test_a_test_that_fails_twice_fails_the_check(folder: Path) -> None:
    (folder / "test_broken.py").write_text(BROKEN_TEST)
    result = run(pytest_on(folder), folder.parent)
    assert result.status == 1
    assert result.failures == ("test_broken::test_is_broken",)
    assert result.unsteady == ("test_unsteady::test_passes_the_second_time",)
    assert result.passed == 2


def test_many_failures_are_not_tried_again(folder: Path) -> None:
    for number in range(UNSTEADY):
        (folder / f"test_broken_{number}.py").write_text(BROKEN_TEST)
    result = run(pytest_on(folder), folder.parent)
    assert (result.status, result.passed, len(result.failures), result.unsteady) == (1, 1, UNSTEADY + 1, ())


def test_tests_that_cannot_even_be_read_fail_the_check(folder: Path) -> None:
    (folder / "test_unsteady.py").write_text("this is no Python")
    result = run(pytest_on(folder), folder.parent)
    assert result.status != 0
    assert result.failures


def test_a_check_without_tests_fails_by_its_status() -> None:
    assert run(Check("false", ["false"]), Path()) == Result(1)
