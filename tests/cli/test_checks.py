"""How checks are run and counted: what fails twice fails, what fails once is named."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from _pytest.mark.expression import Expression

from bot.base.errors import CandourError
from bot.base.settings import REPOSITORY, Settings
from bot.cli.checking import UNSTEADY, Check, Result, Run
from bot.cli.commands.checks import SLOW, Kind, stages
from tests.web.conftest import eventually

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
    return Check("tests", command, report=report)


def run(check: Check, scratch: Path) -> Result:
    return Run(scratch, lambda *_: None, streams=False).run(check)


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


def test_variants_of_one_function_count_once(folder: Path) -> None:
    many = f"""
from pathlib import Path
import pytest

@pytest.mark.parametrize("number", range({UNSTEADY * 3}))
def test_stumbles(number):
    mark = Path(__file__).with_name(f"was-here-{{number}}")
    seen = mark.exists()
    mark.touch()
    assert seen

@pytest.fixture
def broken():
    raise OSError

@pytest.mark.parametrize("number", range({UNSTEADY}))
def test_needs_it(broken, number):
    pass
"""
    (folder / "test_variants.py").write_text(many)
    result = run(pytest_on(folder), folder.parent)
    assert len(result.failures) == UNSTEADY
    assert len(result.unsteady) == UNSTEADY * 3 + 1


def test_a_check_without_tests_fails_by_its_status(tmp_path: Path) -> None:
    assert run(Check("false", ["false"]), tmp_path) == Result(1)


# ---------------------------------------------------------------- side by side


class Heard:
    """What was told of a run."""

    def __init__(self, scratch: Path) -> None:
        self.told: list[tuple[str, int]] = []
        self.run = Run(scratch, lambda check, result, _: self.told.append((check.name, result.status)), streams=False)


def saying(name: str, program: str) -> Check:
    return Check(name, [sys.executable, "-c", program])


def test_lanes_run_at_the_same_time_and_each_in_its_order(tmp_path: Path) -> None:
    # Each first check waits for the other lane's: one after the other they would never end.
    meets = "import pathlib, time; pathlib.Path({0!r}).touch()\nwhile not pathlib.Path({1!r}).exists(): time.sleep(0.01)"
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    heard = Heard(tmp_path)
    lanes = [
        [saying("a", meets.format(one, two)), saying("then a", "")],
        [saying("b", meets.format(two, one)), saying("then b", "")],
    ]
    assert heard.run.side_by_side(lanes)
    names = [name for name, _ in heard.told]
    assert sorted(names) == ["a", "b", "then a", "then b"]
    assert names.index("a") < names.index("then a")


def test_the_first_failure_ends_the_other_lane_and_is_told_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    begun = tmp_path / "begun"
    endless = f"import pathlib, time; pathlib.Path({str(begun)!r}).touch(); print('endless'); time.sleep(600)"
    fails = (
        f"import pathlib, sys, time\nwhile not pathlib.Path({str(begun)!r}).exists(): time.sleep(0.01)\nsys.exit('this is why')"
    )
    heard = Heard(tmp_path)
    lanes = [[saying("endless", endless), saying("after it", "")], [saying("fails", fails), saying("never", "")]]
    assert not heard.run.side_by_side(lanes)
    assert heard.told == [("fails", 1)]
    shown = capfd.readouterr().out
    assert "this is why" in shown
    assert "Traceback" not in shown


def test_what_a_lane_raises_ends_the_others_and_is_raised(tmp_path: Path) -> None:
    def breaks() -> Iterator[Check]:
        yield saying("well", "")
        raise CandourError("no model")

    heard = Heard(tmp_path)
    with pytest.raises(CandourError, match="no model"):
        heard.run.side_by_side([breaks(), [saying("endless", "import time; time.sleep(600)")]])
    assert heard.told == [("well", 0)]


def test_ctrl_c_ends_every_check(tmp_path: Path) -> None:
    process_id, ended = tmp_path / "pid", tmp_path / "ended"
    endless = f"""
import os, pathlib, time
pathlib.Path({str(process_id)!r}).touch()
try:
    time.sleep(600)
except KeyboardInterrupt:
    pathlib.Path({str(ended)!r}).touch()
"""
    program = f"""
import sys
from pathlib import Path
from bot.cli.checking import Check, Run
Run(Path({str(tmp_path)!r}), print, streams=False).side_by_side([[Check("endless", [sys.executable, "-c", {endless!r}])]])
"""
    process = subprocess.Popen([sys.executable, "-c", program], cwd=REPOSITORY, stderr=subprocess.DEVNULL)
    eventually(process_id.exists)
    process.send_signal(signal.SIGINT)
    assert process.wait(120) != 0
    assert ended.exists()


def test_the_groups_hold_every_test_once() -> None:
    """Whatever its marks, a test is in one group: the expressions are tried on every set of marks."""
    settings = Settings(_env_file=None)
    with TemporaryDirectory() as scratch:
        found = stages(Kind.ALL, settings, Path(scratch), together=True)
        last = [check for stage in found[1:] for lane in stage for check in lane]
    marks = [check.command[check.command.index("-m", 3) + 1] for check in last]
    marks += [f"not ({' or '.join(SLOW)})", "engine and not (browser or chaos)"]
    for held in product((True, False), repeat=len(SLOW)):
        names = dict(zip(SLOW, held, strict=True))
        assert sum(bool(Expression.compile(each).evaluate(names.__getitem__)) for each in marks) == 1, names
