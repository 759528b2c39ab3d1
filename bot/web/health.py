"""Whether the process runs, and whether it can serve patients; no secrets, no counts of patients."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Response
from sqlalchemy.exc import SQLAlchemyError

from bot.base.errors import CandourError
from bot.conversations import threads
from bot.web.door import Door, door_of
from bot.web.schemas import Alive, Part, Readiness

router = APIRouter(prefix="/health", tags=["health"])

WAITING_TOO_LONG = timedelta(seconds=30)
"""A stored turn that nobody answers for so long means that no worker sweeps."""


@router.get("/live", summary="Does the process run?")
def live() -> Alive:
    """Answer at once; a supervisor restarts a process that does not."""
    return Alive()


@router.get("/ready", summary="Can patients be served?", responses={503: {"model": Readiness, "description": "Not ready."}})
def ready(response: Response, door: Annotated[Door, Depends(door_of)]) -> Readiness:
    """Look at each part; a balancer sends nobody here while the database or a publication is missing.

    A silent engine or worker does not take the page away: patients then get an apology and a case.
    """
    database, publication, queue = _stored_parts(door)
    engine = Part(ok=door.application.engine.healthy())
    engine.detail = "" if engine.ok else "does not answer; patients get an apology and a case"
    is_ready = database.ok and publication.ok
    if not is_ready:
        response.status_code = 503
    return Readiness(ready=is_ready, database=database, publication=publication, engine=engine, queue=queue)


def _stored_parts(door: Door) -> tuple[Part, Part, Part]:
    now = door.application.clock()
    unknown = Part(ok=False, detail="not known: the database does not answer")
    try:
        with door.application.database.reading() as session:
            waiting = threads.waiting_threads(session, older_than=now - WAITING_TOO_LONG, at=now, limit=1)
            queue = Part(ok=not waiting, detail="a turn waits for more than 30 seconds" if waiting else "")
            try:
                publication = Part(ok=True, detail=str(door.published(session).id))
            except CandourError:
                publication = Part(ok=False, detail="nothing is published: run `./candour publish`")
            return Part(ok=True), publication, queue
    except SQLAlchemyError as failed:
        return Part(ok=False, detail=type(failed).__name__), unknown, unknown
