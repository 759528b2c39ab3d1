"""The chat inside another site's page: the frame's page, and what that site has to add to its own.

The loader draws a button and a frame of ours; the conversation never leaves the frame.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse, PlainTextResponse

from bot.web.door import Door, door_of
from bot.web.patient import rendered
from bot.web.shield import FRAME, LOADER_INTEGRITY, LOADER_PATH, embed_origins

router = APIRouter(prefix=FRAME, tags=["pages"])

NOBODY = """No other site may show the chat yet.
Set CANDOUR_EMBED_ORIGINS, for example to https://www.example.hk, and start the web process again.
"""
SNIPPET = """Sites that may show the chat: {sites}

1. Before </body> of each page that shall show it:

<script src="{ours}{path}" integrity="{integrity}" crossorigin="anonymous" defer data-lang="en" data-position="right"></script>

   data-lang: en, zh-Hant, zh-Hans, tl or id; without it the page's own lang attribute decides.
   data-position: right or left.

2. If the site sends a Content-Security-Policy, it needs these two sources in it:

script-src 'self' {ours}
frame-src 'self' {ours}
"""


@router.get("", response_class=HTMLResponse, summary="The chat for a frame in another site's page")
def frame(
    request: Request,
    door: Annotated[Door, Depends(door_of)],
    lang: Annotated[str | None, Query(description="The language the patient chose.")] = None,
    site: Annotated[str | None, Query(description="The language of the page around the frame.", max_length=40)] = None,
    apart: Annotated[bool, Query(description="The frame is known to stand in another site's page.")] = False,
) -> HTMLResponse:
    """The chat in a page that is made for a frame; who may frame it is said by its headers."""
    # A language chosen inside the frame loads it anew, from ourselves: then only the address still knows.
    is_apart = apart or request.headers.get("sec-fetch-site", "cross-site") == "cross-site"
    hosts = embed_origins(door.application.settings)
    values = {"is_framed": True, "is_apart": is_apart, "hosts": hosts}
    return rendered(request, door, "widget/frame.html", asked=lang, site=site, values=values)


@router.get("/snippet", response_class=PlainTextResponse, summary="What a site adds to its pages to show the chat")
def snippet(request: Request, door: Annotated[Door, Depends(door_of)]) -> PlainTextResponse:
    """The script's line and the lines for the site's policy, ready to copy."""
    settings = door.application.settings
    origins = embed_origins(settings)
    if not origins:
        return PlainTextResponse(NOBODY)
    ours = settings.public_url.rstrip("/") or str(request.base_url).rstrip("/")
    text = SNIPPET.format(sites=", ".join(origins), ours=ours, path=LOADER_PATH, integrity=LOADER_INTEGRITY)
    return PlainTextResponse(text)
