"""Whose pages may show the chat in a frame, and the headers that say so; nobody's unless the operator named them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from bot.base.errors import Misconfigured
from bot.base.settings import Settings

FRAME = "/widget"
LOADER = "candour-1.js"
"""What other sites load. They hold its digest, so a released file never changes: a changed one gets the next number,
and this one stays as long as a site may use it."""
LOADER_INTEGRITY = "sha384-07ax4UgDUK+ZtCPnyq05tp7HTxl7yOo+uGXdpLxsBHiAR6TTTotf1LySj2AU8AZG"
LOADER_PATH = f"/static/widget/{LOADER}"
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def embed_origins(settings: Settings) -> tuple[str, ...]:
    """The origins that may embed the chat; raises Misconfigured for one that is none or could not work."""
    return tuple(_origin(part.strip(), settings) for part in settings.embed_origins.split(",") if part.strip())


def _origin(text: str, settings: Settings) -> str:
    try:
        parts = urlsplit(text.lower())
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Misconfigured("CANDOUR_EMBED_ORIGINS holds something that is no address.") from None
    origin = f"{parts.scheme}://{parts.netloc}"
    # What stands here becomes part of a header: nothing but scheme, host and port.
    is_plain = all(c.isascii() and (c.isalnum() or c in "-.[]:") for c in parts.netloc)
    if not host or not is_plain or text.lower().removesuffix("/") != origin or parts.scheme not in ("https", "http"):
        raise Misconfigured("CANDOUR_EMBED_ORIGINS must be origins like https://www.example.hk, without path or wildcard.")
    if host in LOOPBACK:
        return origin
    if parts.scheme != "https" or not settings.public_url.startswith("https:"):
        raise Misconfigured("CANDOUR_EMBED_ORIGINS needs https there, and CANDOUR_PUBLIC_URL with https here.")
    return origin.removesuffix(":443") if port == 443 else origin


def embed_headers(settings: Settings, policy: str) -> Mapping[str, dict[str, str]]:
    """By path, the headers that differ from everybody else's; an empty value leaves the header out."""
    origins = embed_origins(settings)
    if not origins:
        return {}
    return {
        FRAME: {
            "Content-Security-Policy": policy.replace("frame-ancestors 'none'", f"frame-ancestors {' '.join(origins)}"),
            # It knows no list of origins, and old browsers would obey it.
            "X-Frame-Options": "",
            # For sites that isolate themselves: their frames must say both.
            "Cross-Origin-Resource-Policy": "cross-origin",
            "Cross-Origin-Embedder-Policy": "require-corp",
        },
        # A public script without anything of a patient; a digest is checked only on what may be read.
        LOADER_PATH: {"Cross-Origin-Resource-Policy": "cross-origin", "Access-Control-Allow-Origin": "*"},
    }
