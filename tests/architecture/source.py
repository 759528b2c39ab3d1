"""The repository's own Python files, parsed once."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("bot", "engine", "actions", "simulator", "bench")


@dataclass(frozen=True)
class Module:
    """One file: its dotted name, its lines and its tree."""

    path: Path
    name: str
    lines: int
    tree: ast.Module

    def __repr__(self) -> str:
        return self.name

    def imports(self) -> Iterator[str]:
        """The dotted names of everything it imports, also inside functions."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def modules(*packages: str) -> tuple[Module, ...]:
    """All modules of the packages (all of ours without arguments), those that are not there left out."""
    paths = [path for package in packages or PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple(_read(path) for path in paths)


def _read(path: Path) -> Module:
    text = path.read_text(encoding="utf-8")
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return Module(path, name, text.count("\n"), ast.parse(text))


def launcher() -> Module:
    """The launcher, which is no module of a package."""
    return _read(ROOT / "candour")


def tracked() -> list[Path]:
    """Every file that git keeps; the files on disk where there is no git."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]
