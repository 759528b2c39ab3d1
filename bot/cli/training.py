"""Training: exactly what a model depends on, its digest, and the model made from it once.

Wording is published, not trained: a changed sentence must never cost a training run, so `answers:` is
left out of what is prepared. Every example passes the same guard as a patient's turn, so that the
engine learns from what it will see.
"""

from __future__ import annotations

import ast
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.assembly import official_numbers
from bot.base.errors import BadInput, CandourError
from bot.base.settings import REPOSITORY, Settings
from bot.cli import leash, state
from bot.cli.supervisor import surroundings
from bot.conversations.reading import guard
from bot.conversations.speaking import proposal

MODELS_KEPT = 3
_STEP = re.compile(r"step (\d+)/(\d+)\s*(.*)")
_EXAMPLE = re.compile(r"^(\s*-\s+)(.*)$")

Say = Callable[[str], None]
Show = Callable[[str], AbstractContextManager[Callable[[int, int, str], None]]]


class TrainingFailed(CandourError):
    """The engine's training ended without a model; the text quotes how."""


@dataclass(frozen=True)
class Material:
    """Everything a model is made from: files by their name within the training folder, and the digest over all."""

    files: Mapping[str, bytes]
    digest: str


def material(data: Path, repository: Path = REPOSITORY) -> Material:
    """What training would use now; raises BadInput when a file cannot be read."""
    official = official_numbers(proposal.read_incident(data))
    files = {"domain.yml": _read(data / "domain.yml"), "config.yml": _read(repository / "config.yml")}
    for path in sorted([*(data / "faq").glob("*.yml"), *(data / "flows").glob("*.yml")]):
        files[path.relative_to(data).as_posix()] = _prepared(path, official)
    for path in sorted((data / "danger").glob("*.yml")):
        files[path.relative_to(data).as_posix()] = _prepared(path, official)
    parts = {f"data/{name}": content for name, content in files.items()}
    for path in sorted(taking_part(repository)):
        parts[path.relative_to(repository).as_posix()] = _read(path)
    for name in ("requirements/engine.txt", "data/han.json"):
        parts[name] = _read(repository / name)
    whole = hashlib.sha256()
    for name, content in sorted(parts.items()):
        whole.update(f"{name}\0{len(content)}\0".encode() + content)
    return Material(files, whole.hexdigest()[:32])


def taking_part(repository: Path) -> set[Path]:
    """The engine's modules that training runs: `engine.train`, what the configuration names, and what those import."""
    named = re.findall(r"\bengine\.([\w.]+)", _read(repository / "config.yml").decode())
    waiting, found = ["train", *(name.rpartition(".")[0] for name in named)], set()
    while waiting:
        path = repository / "engine" / f"{waiting.pop().replace('.', '/')}.py"
        if path in found or not path.exists():
            continue
        found.add(path)
        waiting += _imports(ast.parse(_read(path)))
    return found


def model_path(settings: Settings, digest: str) -> Path:
    """Where the model of this digest lies, once it is trained."""
    return settings.home / "models" / f"{digest}.tar.gz"


def ensure_model(settings: Settings, say: Say, show: Show) -> Path:
    """The model of the present data, trained when there is none; waits for a training that is under way."""
    wanted = material(settings.data)
    model = model_path(settings, wanted.digest)
    if not model.exists():
        lock = settings.home / "training" / "lock"
        with state.held(lock, wait=True, waiting=lambda: say("Another training is under way: waiting for it.")):
            if not model.exists():
                _train(settings, wanted, model, say, show)
    os.utime(model)
    return model


def _train(settings: Settings, wanted: Material, model: Path, say: Say, show: Show) -> None:
    folder = settings.home / "training" / wanted.digest
    shutil.rmtree(folder, ignore_errors=True)
    for name, content in wanted.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    made = folder / "model.tar.gz"
    command = [str(REPOSITORY / ".venv-engine" / "bin" / "python"), "-m", "engine.train"]
    command += ["--data", str(folder), "--out", str(made), "--config", str(folder / "config.yml")]
    command += ["--cache", str(settings.home / "training" / "vectors")]
    with show("Training the engine") as progress:
        _run(command, settings.home / "log" / "train.log", progress)
    if not made.exists():
        raise TrainingFailed(f"Training ended without a model; see {settings.home / 'log' / 'train.log'}.")
    model.parent.mkdir(parents=True, exist_ok=True)
    made.replace(model)
    say(f"Trained model {wanted.digest[:12]}.")
    _tidy(settings)


def _run(command: list[str], log: Path, progress: Callable[[int, int, str], None]) -> None:
    log.parent.mkdir(parents=True, exist_ok=True)
    leashed = [sys.executable, "-I", "-S", leash.__file__, str(os.getpid()), *command]
    last: list[str] = []
    with log.open("wb") as kept:
        process = subprocess.Popen(  # noqa: S603 - our own program
            leashed,
            cwd=REPOSITORY,
            env=surroundings({}, bare=True),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        assert process.stdout is not None
        try:
            for raw in process.stdout:
                kept.write(raw)
                line = raw.decode("utf-8", "replace").strip()
                last = [*last, line][-6:]
                if step := _STEP.match(line):
                    progress(int(step[1]), int(step[2]), step[3])
            status = process.wait()
        except BaseException:  # Ctrl-C: the training must not go on behind the next prompt
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        finally:
            process.stdout.close()
    if status:
        raise TrainingFailed(f"Training failed (exit status {status}). It ended with:\n" + "\n".join(last))


def _tidy(settings: Settings) -> None:
    models = sorted((settings.home / "models").glob("*.tar.gz"), key=lambda path: path.stat().st_mtime, reverse=True)
    for old in models[MODELS_KEPT:]:
        old.unlink()
    kept = {path.name.removesuffix(".tar.gz") for path in models[:MODELS_KEPT]}
    for folder in (settings.home / "training").iterdir():
        if re.fullmatch(r"[0-9a-f]{32}", folder.name) and folder.name not in kept:
            shutil.rmtree(folder, ignore_errors=True)


def _prepared(path: Path, official: frozenset[str]) -> bytes:
    """A topic or flow as the engine learns it: without its wording, its examples as the guard lets them through."""
    try:
        document = yaml.load(_read(path), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - a safe loader
    except yaml.YAMLError:
        raise BadInput(f"{path.name} is not valid YAML.") from None
    if not isinstance(document, dict):
        raise BadInput(f"{path.name} is not a mapping.")
    document.pop("answers", None)
    for entry in document.get("nlu") or []:
        if isinstance(entry.get("examples"), str):
            entry["examples"] = _cleaned(entry["examples"], official)
    if isinstance(document.get("examples"), str):  # of a danger, not of a topic
        document["examples"] = _cleaned(document["examples"], official)
    return _written(document)


def _cleaned(examples: str, official: frozenset[str]) -> str:
    lines = []
    for line in examples.splitlines():
        found = _EXAMPLE.match(line)
        lines.append(found[1] + guard.clean(found[2], official=official).text if found else line)
    return "\n".join(lines) + "\n"


def _written(document: Mapping[str, Any]) -> bytes:
    text: str = yaml.safe_dump(dict(document), allow_unicode=True, sort_keys=False, width=10_000)
    return text.encode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as wrong:
        raise BadInput(f"{path.name} cannot be read: {wrong.strerror}.") from None


def _imports(tree: ast.AST) -> list[str]:
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if module == "engine" or (node.level and not module):
                found += [alias.name for alias in node.names]
            elif module.startswith("engine.") or node.level:
                found.append(module.removeprefix("engine."))
        elif isinstance(node, ast.Import):
            found += [alias.name.removeprefix("engine.") for alias in node.names if alias.name.startswith("engine.")]
    return found
