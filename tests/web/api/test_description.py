"""The description of the interface: complete, the one in the documentation, and true: no input makes a fault of ours."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.base.settings import REPOSITORY
from bot.desk.staff.roles import Scope
from bot.web.api.__main__ import text
from tests.desk.conftest import Desk
from tests.web.api.conftest import API, Program

DOCUMENT = REPOSITORY / "docs" / "api" / "candour-v1.json"
DESCRIBED: dict[str, Any] = json.loads(text())
OPERATIONS = [(path, method, told) for path, methods in DESCRIBED["paths"].items() for method, told in methods.items()]


def test_the_description_in_the_documentation_is_the_one_that_is_served(program: Callable[..., Program]) -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == text(), "run `python -m bot.web.api > docs/api/candour-v1.json`"
    assert program().client.get(f"{API}/openapi.json").json() == DESCRIBED


def test_every_operation_is_described_with_its_scope_and_its_refusals() -> None:
    assert len(OPERATIONS) > 45
    assert {told["x-scope"] for _, _, told in OPERATIONS if "x-scope" in told} == set(Scope)
    for path, method, told in OPERATIONS:
        assert told["summary"], path
        assert told["description"], path
        assert told["tags"], path
        if path.startswith("/problems"):
            continue
        assert told["security"] == [{"token": []}], path
        for status in ("401", "403", "422", "429", "500", "503"):
            shape = told["responses"][status]["content"]["application/problem+json"]["schema"]
            assert shape["$ref"].endswith("/ProblemView"), (path, method)


def test_every_field_and_parameter_is_described_and_every_body_has_an_example() -> None:
    schemas = DESCRIBED["components"]["schemas"]
    silent = [
        f"{name}.{field}"
        for name, schema in schemas.items()
        for field, told in schema.get("properties", {}).items()
        if not told.get("description")
    ]
    assert silent == []
    for path, method, told in OPERATIONS:
        body = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        if body:
            assert schemas[body["$ref"].rpartition("/")[2]].get("examples"), (path, method)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
TEXTS = st.sampled_from(
    ["", "\0", "a" * 5000, "\u202e", "\ud7ff", "9" * 40, "-1", "2031-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00", "%s", "'"]
)


def _bodies() -> Iterator[tuple[str, str, dict[str, Any], list[str]]]:
    for path, method, told in OPERATIONS:
        reference = told.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {}).get("$ref", "")
        schema = DESCRIBED["components"]["schemas"].get(reference.rpartition("/")[2], {})
        yield path, method, schema.get("examples", [{}])[0], list(schema.get("properties", {}))


SHAPES = list(_bodies())
NUMBERS = st.sampled_from(["1", "0", "-1", "2147483647", "99999999999999999999", "x", "%ff"])


@pytest.fixture
def bridge(program: Callable[..., Program], desk: Desk) -> Program:
    """A program with every scope, and a case that it has."""
    made = program()
    made.on(desk.case(), "claim")
    return made


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_no_input_makes_a_fault_of_ours(bridge: Program, data: st.DataObject) -> None:
    path, method, example, fields = data.draw(st.sampled_from(SHAPES))
    at = path.replace("{number}", data.draw(st.sampled_from([bridge.number(1)] * 4 + ["0000-0000-0", "%00", "1" * 20])))
    for name in ("reply", "reminder", "webhook", "delivery", "turn", "name", "kind"):
        at = at.replace(f"{{{name}}}", data.draw(NUMBERS))
    spoilt = data.draw(st.lists(st.sampled_from(fields), max_size=2)) if fields else []
    body = {**example, **{field: data.draw(ANYTHING | TEXTS) for field in spoilt}}
    query = data.draw(st.dictionaries(st.sampled_from(["cursor", "limit", "q", "since", "until", "priority", "days"]), TEXTS))
    match = data.draw(st.sampled_from([{}, {"If-Match": '"1"'}, {"If-Match": "x"}]))
    headers = {"Idempotency-Key": data.draw(st.uuids().map(str)), "Content-Type": "application/json", **match}
    content = json.dumps(body).encode() if fields else None
    answer = bridge.client.request(method.upper(), API + at, params=query, content=content, headers=headers)
    assert answer.status_code < 500, (method, at, answer.text)
    if answer.status_code >= 400:
        assert answer.headers["content-type"] == "application/problem+json"
