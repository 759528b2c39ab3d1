"""The checks of a Mail Send request's content: bodies, attachments, headers, substitutions, arguments, settings.

Docs: Mail Send, Errors (content, attachments, headers, substitutions, custom_args, asm, mail_settings, tracking_settings).
"""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from simulator.sendgrid.errors import Findings

MAP_MOST = 10_000
RESERVED = {
    "x-sg-id",
    "x-sg-eid",
    "received",
    "dkim-signature",
    "content-type",
    "content-transfer-encoding",
    "to",
    "from",
    "subject",
    "reply-to",
    "cc",
    "bcc",
}
CONTENT = (
    "Unless a valid template_id is provided, the content parameter is required. There must be at least one defined content "
    "block. We typically suggest both text/plain and text/html blocks are included, but only one block is required."
)
BYPASSES = ("bypass_list_management", "bypass_spam_management", "bypass_bounce_management", "bypass_unsubscribe_management")


def check_content(found: Findings, body: dict[str, Any]) -> None:
    """At least one body; text/plain before text/html before anything else."""
    template, blocks = body.get("template_id"), body.get("content")
    if template is not None and (not isinstance(template, str) or not template):
        found.add("template_id", "The template_id must be a valid GUID, you provided an invalid one.")
    if blocks is None and template:
        return
    if not isinstance(blocks, list) or not blocks:
        found.add("content", CONTENT)
        return
    ranks = []
    for place, block in enumerate(blocks):
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(kind, str) or "/" not in kind:
            found.add(
                f"content.{place}.type", "The content type must be a string at least one character in length, such as text/plain."
            )
            continue
        if any(sign in kind for sign in ";\r\n"):
            found.add(f"content.{place}.type", "The content type cannot contain ';', or CRLF characters.")
        value = block.get("value") if isinstance(block, dict) else None
        if not isinstance(value, str) or not value:
            found.add(f"content.{place}.value", "The content value must be a string at least one character in length.")
        ranks.append({"text/plain": 0, "text/html": 1}.get(kind.lower(), 2))
    if ranks != sorted(ranks):
        found.add(
            "content", "If present, text/plain and text/html must be provided first, in this order: text/plain, then text/html."
        )


def check_attachments(found: Findings, attachments: object) -> None:
    """Base64 content and a file name; inline ones need a content id to be seen."""
    if attachments is None:
        return
    if not isinstance(attachments, list):
        found.add("attachments", "Invalid type. Expected: array.")
        return
    for place, one in enumerate(attachments):
        field = f"attachments.{place}"
        if not isinstance(one, dict):
            found.add(field, "Invalid type. Expected: object.")
            continue
        if not _is_base64(one.get("content")):
            found.add(f"{field}.content", "The attachment content must be base64 encoded.")
        name = one.get("filename")
        if not isinstance(name, str) or not name:
            found.add(f"{field}.filename", "The filename parameter is required.")
        elif any(sign in name for sign in "\r\n"):
            found.add(f"{field}.filename", "The filename cannot contain CRLF characters.")
        if any(
            not isinstance(one.get(key, ""), str) or any(sign in one.get(key, "") for sign in ";\r\n")
            for key in ("type", "content_id")
        ):
            found.add(f"{field}.type", "The type and content_id must be strings and cannot contain ';', or CRLF characters.")
        if one.get("disposition", "attachment") not in ("attachment", "inline"):
            found.add(f"{field}.disposition", "The disposition must be either 'attachment' or 'inline'.")


def _is_base64(value: object) -> bool:
    if not isinstance(value, str) or not value:
        return False
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def check_maps(found: Findings, holder: dict[str, Any], prefix: str) -> None:
    """Headers, custom_args, substitutions, sections: texts to texts, of limited size, no reserved header."""
    for name in ("headers", "custom_args", "substitutions", "sections"):
        value = holder.get(name)
        if value is None:
            continue
        if not isinstance(value, dict):
            found.add(f"{prefix}{name}", f"The {name} must be an object.")
            continue
        if not all(isinstance(one, str) for one in value.values()):
            found.add(f"{prefix}{name}", f"The values of {name} must be strings.")
            continue
        size = len(json.dumps(value, ensure_ascii=False).encode())
        if name in ("custom_args", "substitutions") and size > MAP_MOST:
            found.add(f"{prefix}{name}", f"The {name} may not exceed 10000 bytes. You have provided {size} bytes.")
        if name == "headers":
            _check_headers(found, value, f"{prefix}headers")
    data = holder.get("dynamic_template_data")
    if data is not None and not isinstance(data, dict):
        found.add(f"{prefix}dynamic_template_data", "The dynamic_template_data must be an object.")


def _check_headers(found: Findings, headers: dict[str, str], field: str) -> None:
    for name, value in headers.items():
        if name.lower() in RESERVED:
            found.add(field, f"The header {name[:100]} is reserved and cannot be set.")
        if not name or not name.isascii() or not value.isascii():
            found.add(field, "The header parameter must be in 7bit encoding: encode other characters by RFC 2047.")
        if any(sign in f"{name}{value}" for sign in "\r\n"):
            found.add(field, "The header parameter cannot contain CRLF characters.")


def check_settings(found: Findings, body: dict[str, Any]) -> None:
    """asm, mail_settings and tracking_settings; list bypass excludes the other bypasses."""
    asm = body.get("asm")
    if asm is not None:
        shown = asm.get("groups_to_display", []) if isinstance(asm, dict) else []
        if not isinstance(asm, dict) or not _is_whole(asm.get("group_id")):
            found.add("asm.group_id", "The asm object must have a group_id, an integer.")
        elif not isinstance(shown, list) or len(shown) > 25 or not all(_is_whole(one) for one in shown):
            found.add("asm.groups_to_display", "The groups_to_display must be an array of at most 25 integers.")
    for group in ("mail_settings", "tracking_settings"):
        settings = body.get(group)
        if settings is None:
            continue
        if not isinstance(settings, dict):
            found.add(group, f"The {group} must be an object.")
            continue
        for name, value in settings.items():
            if value is not None and (not isinstance(value, dict) or not isinstance(value.get("enable", False), bool)):
                found.add(f"{group}.{str(name)[:60]}.enable", "The enable parameter must be a boolean.")
    used = [name for name in BYPASSES if is_on(body, "mail_settings", name)]
    if BYPASSES[0] in used and len(used) > 1:
        found.add("mail_settings", "bypass_list_management cannot be combined with any other bypass option.")


def is_on(body: dict[str, Any], group: str, name: str, *, default: bool = False) -> bool:
    """Whether a setting of the request is enabled."""
    settings = body.get(group)
    value = settings.get(name) if isinstance(settings, dict) else None
    return value.get("enable") is True if isinstance(value, dict) and "enable" in value else default


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
