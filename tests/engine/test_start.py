"""What keeps the engine from starting ends its process, with a sentence and an exit status of its own."""

from __future__ import annotations

import gzip
import socket
import tarfile
from pathlib import Path

import pytest

from tests.engine.running import ROOT, TOKEN, free_port, run

pytestmark = pytest.mark.engine

NO_TOKEN, NO_MODEL, NO_PORT = 2, 3, 4


def damaged(kind: str, model: Path, folder: Path) -> Path:
    """A model file which is wrong in one way."""
    bad = folder / "model.tar.gz"
    whole = model.read_bytes()
    if kind == "empty":
        bad.write_bytes(b"")
    elif kind == "rubbish":
        bad.write_bytes(b"not a model" * 1000)
    elif kind == "cut off":
        bad.write_bytes(whole[: len(whole) // 2])
    elif kind == "another archive":
        bad.write_bytes(gzip.compress(b"\0" * 2048))
    elif kind == "without numbers":
        with tarfile.open(model) as good, tarfile.open(bad, "w:gz") as into:
            for member in good.getmembers():
                if not member.name.endswith("numbers.npz"):
                    into.addfile(member, good.extractfile(member) if member.isfile() else None)
    return bad


def serve(model: Path, *more: str, token: str = TOKEN) -> tuple[int, str]:
    """Exit status and standard error of an engine that should not start."""
    done = run("serve", "--model", str(model), "--port", str(free_port()), *more, seconds=60, CANDOUR_ENGINE_TOKEN=token)
    return done.returncode, done.stderr


@pytest.mark.parametrize("kind", ["absent", "empty", "rubbish", "cut off", "another archive", "without numbers"])
def test_without_a_whole_model_nothing_starts(kind: str, model: Path, tmp_path: Path) -> None:
    status, said = serve(damaged(kind, model, tmp_path))
    assert status == NO_MODEL
    assert "is missing or damaged" in said


def test_without_a_token_nothing_starts(model: Path) -> None:
    status, said = serve(model, token="")
    assert status == NO_TOKEN
    assert "CANDOUR_ENGINE_TOKEN" in said


def test_without_the_bounded_memory_nothing_starts(model: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "endpoints.yml"
    wrong.write_text((ROOT / "endpoints.yml").read_text().replace("engine.memory.BoundedMemory", "engine.memory.Missing"))
    assert serve(model, "--endpoints", str(wrong))[0] == NO_MODEL


@pytest.mark.parametrize("module", ["serve", "actions"])
def test_a_port_in_use_is_said(module: str, model: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        more = ["--model", str(model)] if module == "serve" else []
        done = run(module, "--port", port, *more, seconds=60, CANDOUR_ENGINE_TOKEN=TOKEN)
    assert done.returncode == NO_PORT
    assert f"port {port}" in done.stderr
