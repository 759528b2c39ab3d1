"""The endpoints of the suppression lists and unsubscribe groups (docs: Suppressions; Unsubscribe Groups; Global Suppressions)."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from simulator.doors import object_of
from simulator.sendgrid import suppressions
from simulator.sendgrid.door import Door, route
from simulator.sendgrid.errors import Refused
from simulator.world import World


def _list_doors(name: str) -> dict[str, Door]:
    async def get_all(request: Request, world: World) -> Any:
        return suppressions.listed(world, name, dict(request.query_params))

    async def delete_many(request: Request, world: World) -> Any:
        body = await object_of(request)
        with world.store.transaction():
            suppressions.delete_many(world, name, body)

    async def get_one(request: Request, world: World) -> Any:
        return suppressions.one(world, name, request.path_params["email"])

    async def delete_one(request: Request, world: World) -> Any:
        if not suppressions.remove(world, name, request.path_params["email"]):
            raise Refused.single(404, "not found", "email")

    return {"get_all": get_all, "delete_many": delete_many, "get_one": get_one, "delete_one": delete_one}


async def _unsubscribes(request: Request, world: World) -> Any:
    return suppressions.listed(world, suppressions.GLOBAL, dict(request.query_params))


async def _add_global(request: Request, world: World) -> Any:
    return _add(world, suppressions.GLOBAL, suppressions.addresses_of(await object_of(request)))


async def _one_global(request: Request, world: World) -> Any:
    found = suppressions.one(world, suppressions.GLOBAL, request.path_params["email"])
    return {"recipient_email": found[0]["email"]} if found else {}


async def _remove_global(request: Request, world: World) -> Any:
    suppressions.remove(world, suppressions.GLOBAL, request.path_params["email"])


def _add(world: World, name: str, emails: list[str]) -> dict[str, Any]:
    with world.store.transaction():
        for email in emails:
            suppressions.add(world, name, email)
    return {"recipient_emails": emails}


def _number(request: Request) -> int:
    text = request.path_params["group"]
    if not text.isdecimal() or len(text) > 9:
        raise Refused.single(404, "group not found")
    return int(text)


async def _groups(request: Request, world: World) -> Any:
    if request.method == "GET":
        return suppressions.groups(world)
    return suppressions.save_group(world, await object_of(request))


async def _group(request: Request, world: World) -> Any:
    if request.method == "PATCH":
        return suppressions.save_group(world, await object_of(request), _number(request))
    if request.method == "DELETE":
        return suppressions.delete_group(world, _number(request))
    return suppressions.group(world, _number(request))


async def _members(request: Request, world: World) -> Any:
    name = f"group:{suppressions.group(world, _number(request))['id']}"
    if request.method == "GET":
        return suppressions.members(world, name)
    return _add(world, name, suppressions.addresses_of(await object_of(request)))


async def _search(request: Request, world: World) -> Any:
    name = f"group:{suppressions.group(world, _number(request))['id']}"
    wanted = {email.lower() for email in suppressions.addresses_of(await object_of(request))}
    return [email for email in suppressions.members(world, name) if email in wanted]


async def _remove_member(request: Request, world: World) -> Any:
    suppressions.remove(world, f"group:{_number(request)}", request.path_params["email"])


async def _groups_of(request: Request, world: World) -> Any:
    email = request.path_params["email"]
    found = suppressions.groups(world)
    return {
        "suppressions": [{**one, "suppressed": bool(suppressions.one(world, f"group:{one['id']}", email))} for one in found],
    }


def suppression_routes() -> list[Route]:
    """All of them."""
    found = []
    for name in suppressions.LISTS:
        doors, path = _list_doors(name), f"/v3/suppression/{name}"
        found += [
            route(path, "GET", doors["get_all"]),
            route(path, "DELETE", doors["delete_many"], 204),
            route(f"{path}/{{email}}", "GET", doors["get_one"]),
            route(f"{path}/{{email}}", "DELETE", doors["delete_one"], 204),
        ]
    groups = "/v3/asm/groups"
    return [
        *found,
        route("/v3/suppression/unsubscribes", "GET", _unsubscribes),
        route("/v3/asm/suppressions/global", "POST", _add_global, 201),
        route("/v3/asm/suppressions/global/{email}", "GET", _one_global),
        route("/v3/asm/suppressions/global/{email}", "DELETE", _remove_global, 204),
        route("/v3/asm/suppressions/{email}", "GET", _groups_of),
        route(groups, "GET", _groups),
        route(groups, "POST", _groups, 201),
        route(f"{groups}/{{group}}", "GET", _group),
        route(f"{groups}/{{group}}", "PATCH", _group, 201),
        route(f"{groups}/{{group}}", "DELETE", _group, 204),
        route(f"{groups}/{{group}}/suppressions", "GET", _members),
        route(f"{groups}/{{group}}/suppressions", "POST", _members, 201),
        route(f"{groups}/{{group}}/suppressions/search", "POST", _search),
        route(f"{groups}/{{group}}/suppressions/{{email}}", "DELETE", _remove_member, 204),
    ]
