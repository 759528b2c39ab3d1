"""Small worlds for the terminal: the launcher as a module, programs to watch, a web door with a publication."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.base.settings import REPOSITORY
from bot.cli import state

# The web door's fixtures are taken as they are: the terminal goes through the same door.
from tests.web.conftest import address, application, content, engine, published, settings  # noqa: F401


def load_launcher(path: Path = REPOSITORY / "candour") -> Any:
    """The launcher as a module; it has no suffix and is otherwise only ever run."""
    loader = importlib.machinery.SourceFileLoader("candour_launcher", str(path))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    return module


def until(is_so: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Wait until something is so, and give it back; fails after some seconds."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = is_so()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it never came to be so")


@pytest.fixture
def running_up(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The home of an `up` that runs, whose web door is the test's."""
    chosen = request.getfixturevalue("settings")
    monkeypatch.setenv("CANDOUR_HOME", str(chosen.home))
    monkeypatch.setenv("CANDOUR_DATABASE_URL", chosen.database_url)
    with state.held(state.up_lock(chosen.home), wait=False):
        state.write_state(chosen.home, {"pid": 1, "ready": True, "web": request.getfixturevalue("address")})
        yield chosen.home
