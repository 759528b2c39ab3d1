"""Habits of the code that a reviewer would have to look for otherwise."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.source import Module, modules

READS_THE_ENVIRONMENT = {"bot.base.settings", "bot.cli.supervisor"}
"""The supervisor only hands the environment on to the programs it starts."""
WRITES_STATUS = {"bot.base.lifecycle"}
QUERIES = {"select", "insert", "update", "delete", "text"}
SESSION_CALLS = {"execute", "scalars", "scalar", "query", "get", "get_one", "add", "flush", "merge"}


def attributes(module: Module, owner: str, names: set[str]) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in names and isinstance(node.value, ast.Name) and node.value.id == owner:
            yield f"{module.name}:{node.lineno}"


def test_only_the_settings_read_the_environment() -> None:
    wrong = [
        place
        for module in modules("bot", "actions")
        if module.name not in READS_THE_ENVIRONMENT
        for place in attributes(module, "os", {"environ", "getenv", "environb", "putenv"})
    ]
    assert not wrong


def test_only_lifecycle_writes_a_status() -> None:
    wrong = [
        f"{module.name}:{node.lineno}"
        for module in modules("bot")
        if module.name not in WRITES_STATUS
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
        for target in _targets(node)
        if isinstance(target, ast.Attribute) and target.attr == "status"
    ]
    assert not wrong


def test_the_web_doors_make_no_query() -> None:
    wrong = [
        place
        for module in modules("bot/web")
        for place in [
            *attributes(module, "session", SESSION_CALLS),
            *(
                f"{module.name} imports {name}"
                for name in module.imports()
                if name in {f"sqlalchemy.{query}" for query in QUERIES}
            ),
        ]
    ]
    assert not wrong


def test_the_time_comes_from_the_clock() -> None:
    wrong = [
        place
        for module in modules("bot")
        if module.name != "bot.base.clock"
        for place in [*attributes(module, "datetime", {"now", "utcnow", "today"}), *attributes(module, "date", {"today"})]
    ]
    assert not wrong


def test_nothing_is_printed_by_the_application() -> None:
    wrong = [
        f"{module.name}:{node.lineno}"
        for module in modules("bot", "actions")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert not wrong


def _targets(node: ast.Assign | ast.AugAssign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]
