"""Writes multipart/form-data with a chosen boundary, because the signature is made over the very bytes."""

from __future__ import annotations

import base64
from typing import Any


def encoded(parts: list[dict[str, Any]], boundary: str) -> tuple[str, bytes]:
    """Content type and body; a part is {name, text} or {name, filename, type, base64}."""
    mark = f"xYzZY{boundary}"
    lines: list[bytes] = []
    for part in parts:
        head = f'Content-Disposition: form-data; name="{_quoted(part["name"])}"'
        if "filename" in part:
            head += f'; filename="{_quoted(part["filename"])}"\r\nContent-Type: {part["type"]}'
            content = base64.b64decode(part["base64"])
        else:
            content = part["text"].encode(part.get("charset", "utf-8"), "replace")
        lines += [b"--" + mark.encode(), head.encode(), b"", content]
    body = b"\r\n".join([*lines, b"--" + mark.encode() + b"--", b""])
    return f"multipart/form-data; boundary={mark}", body


def _quoted(text: str) -> str:
    return text.replace("\\", "_").replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
