"""Addresses below `/desk` at which there is nothing: told as a page, after every other route was asked."""

from __future__ import annotations

from typing import Annotated

from fastapi import HTTPException, Response

from bot.web.console.answers import console_router
from bot.web.console.door import Staff, signed_in

router = console_router()


@router.api_route("/{rest:path}", methods=["GET", "POST"])
def nowhere(staff: Annotated[Staff, signed_in(by_itself=True)], rest: str) -> Response:
    """Nothing is here."""
    raise HTTPException(404)
