"""The error tree: retry is decided from the class, so the classes must say what they are."""

from __future__ import annotations

import inspect
import re

import pytest

from bot.base import errors


def classes() -> dict[str, type[errors.CandourError]]:
    """All errors by name."""
    return {name: found for name, found in inspect.getmembers(errors, inspect.isclass) if found.__module__ == errors.__name__}


def test_every_error_is_a_candour_error() -> None:
    assert all(issubclass(found, errors.CandourError) for found in classes().values())


def test_the_drawn_tree_is_the_tree() -> None:
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__ or "")
    assert {"CandourError", *drawn} == set(classes())


@pytest.mark.parametrize("found", [errors.EngineUnavailable, errors.EngineSlow, errors.EngineRubbish])
def test_whatever_goes_wrong_with_the_engine_is_one_kind_of_trouble(found: type[Exception]) -> None:
    assert issubclass(found, errors.EngineError)


def test_a_reached_limit_says_when_to_try_again() -> None:
    assert errors.TooMany("slow down", retry_after_s=30).retry_after_s == 30
