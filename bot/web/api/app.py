"""The interface put together: its routes, its errors, its description."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from bot.web.api import problems
from bot.web.api.door import Access, access_of
from bot.web.api.problems import KINDS, MEDIA_TYPE, PREFIX
from bot.web.api.routes import deeds, desk, notebook, queue, reading, replies, webhooks
from bot.web.api.shapes.base import ProblemView
from bot.web.door import Door

DESCRIPTION = """Everything a responder does at Candour's desk, for an existing help desk.

Send a token as `Authorization: Bearer cdr_…`; each operation names the scope it needs. Refusals are problem details (RFC 9457):
`type` leads to what a kind means. What is written may name an `Idempotency-Key`, and must where a repeat would do harm; a case's
`ETag` goes into `If-Match`. Lists go on with `cursor`. Events are posted to registered addresses, signed by the Standard Webhooks
scheme. Words of patients are masked: one line is shown as written for a reason, and everything read or done stands in the sealed
log."""
OF_ALL = ("no_token", "scope_missing", "not_as_described", "too_many", "failed", "not_ready")
OF_WRITING = ("not_done", "changed_meanwhile", "key_used")


MODULES = (queue, reading, deeds, replies, notebook, desk, webhooks)


class Described(FastAPI):
    """An application whose description names scopes and problems."""

    def openapi(self) -> dict[str, Any]:
        """The description, made once."""
        if self.openapi_schema is None:
            schema = super().openapi()
            schema.setdefault("components", {}).setdefault("schemas", {})["ProblemView"] = ProblemView.model_json_schema()
            for unused in ("HTTPValidationError", "ValidationError"):
                schema["components"]["schemas"].pop(unused, None)
            for route, access in guarded_routes():
                for method in route.methods or ():
                    _describe(schema["paths"][route.path_format][method.lower()], route, access)
        return super().openapi()


def guarded_routes() -> list[tuple[APIRoute, Access]]:
    """Every route with who may use it; raises RuntimeError for one that does not say."""
    found = []
    for route in (route for module in MODULES for route in module.router.routes):
        access = access_of(route)
        if not isinstance(route, APIRoute) or access is None:
            raise RuntimeError(f"{getattr(route, 'path', route)} does not say who may use it")
        found.append((route, access))
    return found


def create_api(door: Door | None) -> FastAPI:
    """The interface, to be mounted at `/api/v1`; without a door only to be described.

    Raises RuntimeError for a route that does not say who may use it.
    """
    guarded_routes()
    app = Described(
        title="Candour for programs",
        version="1.0.0",
        description=DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        servers=[{"url": PREFIX}],
        root_path_in_servers=False,
    )
    app.state.door = door
    problems.install(app)
    for module in MODULES:
        app.include_router(module.router)
    return app


def _describe(operation: dict[str, Any], route: APIRoute, access: Access) -> None:
    operation["responses"].pop("422", None)
    if access.is_public:
        kinds: tuple[str, ...] = ("not_found", "failed")
    else:
        named = ("not_found",) if "{" in route.path_format else ()
        writing = OF_WRITING if "GET" not in (route.methods or ()) else ()
        special = {"claim": ("taken",), "reply": ("stale_reply", "reply_refused", "key_missing"), "undo": ("too_late",)}
        held = ("stale_version",) if "If-Match" in {one.get("name") for one in operation.get("parameters", ())} else ()
        kinds = (*OF_ALL, *named, *writing, *special.get(route.name, ()), *held)
    told: dict[int, list[str]] = {}
    for kind in kinds:
        told.setdefault(KINDS[kind][0], []).append(f"`{kind}`: {KINDS[kind][1]}.")
    shape = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemView"}}}
    for status, sentences in sorted(told.items()):
        operation["responses"][str(status)] = {"description": " ".join(sentences), "content": shape}
    if access.scope is not None:
        operation["x-scope"] = access.scope.value
        operation["description"] = f"{operation.get('description', '')}\n\nNeeds the scope `{access.scope.value}`.".strip()
