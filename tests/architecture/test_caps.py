"""Sizes that make one stop and think; to notice, not to game."""

from __future__ import annotations

import ast
from collections import Counter

from tests.architecture.source import Module, launcher, modules

MODULE_LINES = 300
FUNCTION_LINES = 40
PACKAGE_MODULES = 16
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager"}


def functions(module: Module) -> list[tuple[str, int]]:
    found = [node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [(f"{module.name}.{node.name}", (node.end_lineno or node.lineno) - node.lineno + 1) for node in found]


def _public_classes(module: Module) -> list[ast.ClassDef]:
    return [node for node in module.tree.body if isinstance(node, ast.ClassDef) and not node.name.startswith("_")]


def test_no_module_is_too_long() -> None:
    assert {module.name: module.lines for module in (*modules(), launcher()) if module.lines > MODULE_LINES} == {}


def test_no_function_is_too_long() -> None:
    assert {
        name: lines for module in (*modules(), launcher()) for name, lines in functions(module) if lines > FUNCTION_LINES
    } == {}


def test_no_package_has_too_many_modules() -> None:
    held = Counter(module.path.parent for module in modules() if not module.path.name.startswith("__"))
    assert {folder.name: number for folder, number in held.items() if number > PACKAGE_MODULES} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [module.name for module in modules() if module.path.stem in FORBIDDEN_NAMES] == []


def test_every_module_says_what_it_is_for() -> None:
    assert [module.name for module in (*modules(), launcher()) if not ast.get_docstring(module.tree)] == []


def test_every_public_function_of_the_application_says_what_it_does() -> None:
    silent = [
        f"{module.name}.{node.name}"
        for module in modules("bot", "actions")
        for scope in [module.tree, *_public_classes(module)]
        for node in scope.body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
    ]
    assert silent == []
