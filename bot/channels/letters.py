"""Reading e-mail that patients send: what they wrote, without what they quote; and what no person wrote.

Input is hostile: any of the fields may be missing, wrong or huge. Attachments are counted, never kept.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from email.message import EmailMessage, Message
from email.parser import BytesParser, HeaderParser
from email.policy import HTTP, compat32
from email.utils import getaddresses
from itertools import islice

from bot.channels import form, markup

FIELD_MOST = 200_000
"""Characters kept of one field; what a turn may have too."""
KEPT = ("headers", "text", "html", "from", "to", "subject", "envelope", "charsets", "SPF", "dkim", "email")
"""Fields of Inbound Parse that are kept (docs: Inbound Parse, default and raw parameters)."""
PARTS_MOST = 20
"""Parts of a raw e-mail that are looked into."""
ADDRESSES_MOST = 20_000
"""Characters of a field of addresses that are read."""

_QUOTE = re.compile(r"^\s*[>＞|]")
_MARKERS = re.compile(
    r"""^\s*(?:
        on\b.{0,200}\bwrote:\s*$                                          # Gmail, Apple
      | -{2,}\s*(?:original|forwarded|原始|原始邮件|原始郵件|轉寄|转发).{0,60}-{2,}\s*$   # Outlook
      | [-_]{10,}\s*$
      | .{0,200}(?:寫道|写道|撰寫|のメッセージ)\s*[：:]\s*$
      | (?:noong|nung)\b.{0,200}(?:sumulat|isinulat).{0,80}:\s*$           # Tagalog
      | pada\b.{0,200}menulis.{0,80}:\s*$                                  # Indonesian
      | (?:from|寄件者|寄件人|发件人|發件人|dari|mula\ kay)\s*[：:].{0,200}@.{0,200}$
      | (?:sent\ from\ my|從我的|从我的|发自我的|傳送自)\b.{0,60}$
    )""",
    re.IGNORECASE | re.VERBOSE,
)
_REPLY = re.compile(r"\s*(?:re|fw|fwd|aw|sv|bls|回覆|回复|答复|答覆|轉寄|转发)\s*(?:\[\d+\])?\s*[:：]", re.IGNORECASE)
_PART = re.compile(r"^content-type:", re.IGNORECASE | re.MULTILINE)
_SIGNATURE = re.compile(r"^-- ?$")
_ID = re.compile(r"<[^<>\s]{3,250}>")
_ROBOTS = re.compile(r"^(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)\b", re.IGNORECASE)


def fields_of(content_type: str, body: bytes) -> dict[str, str]:
    """The kept fields of a multipart form, in the charset each is said to have; files are counted as `attachments`.

    Files are stepped over, never read: nothing that lies in one can cost more than its length.
    """
    raw: dict[str, bytes] = {}
    files = 0
    for is_file, name, content in form.parts(content_type, body):
        files += is_file
        if not is_file and name in KEPT:
            raw[name] = bytes(content[: 4 * FIELD_MOST])
    charsets = _charsets(raw.get("charsets", b""))
    found = {name: _decoded(value, charsets.get(name, "utf-8"))[:FIELD_MOST] for name, value in raw.items()}
    if found.get("text", "").strip():
        found.pop("html", None)  # the same words once more
    return {**found, "attachments": str(files)}


def written(fields: Mapping[str, str]) -> str:
    """What the patient wrote in this e-mail, without quotes and signature; the whole when nothing would be left."""
    text = fields.get("text", "").strip() or markup.words(fields.get("html", ""))
    if not text and fields.get("email"):
        text = _of_raw(fields["email"])
    return unquoted(text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n"))


def question(fields: Mapping[str, str]) -> str:
    """What the e-mail asks: its text, and its subject too unless that is the subject of an earlier one."""
    text, subject = written(fields), letter_of(fields)["subject"]
    return text if not subject or is_reply(subject) else f"{subject}\n\n{text}".strip()


def is_reply(subject: str) -> bool:
    """Whether a subject says that it answers or passes on an earlier e-mail."""
    return _REPLY.match(subject) is not None


def unquoted(text: str) -> str:
    """A text without the lines that repeat an earlier e-mail."""
    lines = text.split("\n")
    cut = next((place for place, line in enumerate(lines) if _MARKERS.match(line[:600]) or _starts_quote(lines, place)), None)
    above = [line for line in lines[:cut] if not _QUOTE.match(line)]
    signed = next((place for place, line in enumerate(above) if _SIGNATURE.match(line)), None)
    for kept in (above[:signed], above, [line for line in lines if not _QUOTE.match(line) and not _MARKERS.match(line[:600])]):
        answer = "\n".join(kept).strip()
        if answer:
            return answer
    return text.strip()


def _starts_quote(lines: list[str], place: int) -> bool:
    # Gmail breaks the line "On … wrote:" when it is long.
    return bool(_MARKERS.match((lines[place] + " " + lines[place + 1])[:600])) if _breaks(lines, place) else False


def _breaks(lines: list[str], place: int) -> bool:
    return place + 1 < len(lines) and lines[place].strip().lower().startswith(("on ", "在", "於", "noong", "pada"))


def headers_of(fields: Mapping[str, str]) -> Message:
    """The headers of the e-mail; folded, repeated and broken ones are tolerated."""
    raw = fields.get("headers") or fields.get("email", "").replace("\r\n", "\n").partition("\n\n")[0]
    return HeaderParser(policy=compat32).parsestr(raw)


def sender(fields: Mapping[str, str]) -> str:
    """The address in `From`, in small letters; empty when there is none."""
    listed = _addresses([fields.get("from") or _header(headers_of(fields), "From")])
    address = listed[0].strip().lower() if listed else ""
    return address if re.fullmatch(r"[^@\s<>\"]{1,64}@[^@\s<>\"]{1,190}", address) else ""


def recipients(fields: Mapping[str, str]) -> list[str]:
    """Whom it was for: the envelope's recipients, else the header's."""
    envelope = _object(fields.get("envelope", "")).get("to")
    listed = [str(one) for one in envelope] if isinstance(envelope, list) else []
    return [one.strip().lower() for one in [*listed, *_addresses([fields.get("to", "")])] if "@" in one]


def _addresses(fields: Sequence[str]) -> list[str]:
    # Comments may stand in comments; a field of a thousand brackets names nobody.
    try:
        return [address for _, address in getaddresses([field[:ADDRESSES_MOST] for field in fields])]
    except RecursionError:
        return []


def letter_of(fields: Mapping[str, str]) -> dict[str, str]:
    """What an answer needs to join the patient's conversation: their e-mail's id, the ids before it, the subject."""
    headers = headers_of(fields)
    own = _ID.search(_header(headers, "Message-ID"))
    # RFC 5322, 3.6.4: without References the parent is named by In-Reply-To.
    earlier = _ID.findall(_header(headers, "References") or _header(headers, "In-Reply-To"))[-10:]
    subject = " ".join((fields.get("subject") or _header(headers, "Subject")).split())[:150]
    return {"id": own[0] if own else "", "references": " ".join(earlier), "subject": subject}


def turn_id(unique: str) -> str:
    """The id of the turn that an e-mail becomes: the same whenever and however often it is posted."""
    return "mail:" + hashlib.sha256(unique.encode("utf-8", "replace")).hexdigest()[:48]


def no_person(fields: Mapping[str, str], own: Collection[str]) -> str:
    """Why no person wrote this e-mail (it gets no answer, so that two machines do not talk for ever), or nothing.

    RFC 3834 (Auto-Submitted), RFC 5321 (null sender), and what mail systems add beside them.
    """
    headers = headers_of(fields)
    submitted = _header(headers, "Auto-Submitted").partition(";")[0].strip().lower()
    envelope = _object(fields.get("envelope", ""))
    their = sender(fields)
    if not their:
        return "no_sender"
    if their in {one.lower() for one in own}:
        return "own_address"
    if str(envelope.get("from", their)).strip() in ("", "<>") or _header(headers, "Return-Path").strip() == "<>":
        return "bounce"
    if _ROBOTS.match(their):
        return "robot"
    if submitted not in ("", "no"):
        return "auto_submitted"
    if _header(headers, "Precedence").strip().lower() in ("bulk", "junk", "list", "auto_reply"):
        return "bulk"
    if _header(headers, "List-Id") or _header(headers, "X-Autoreply") or _header(headers, "X-Autorespond"):
        return "bulk"
    if _suppresses(_header(headers, "X-Auto-Response-Suppress")):
        return "auto_submitted"
    return "forged_sender" if _is_forged(fields) else ""


def _suppresses(value: str) -> bool:
    return bool({one.strip().lower() for one in value.split(",")} & {"all", "autoreply", "oof"})


def _is_forged(fields: Mapping[str, str]) -> bool:
    """Whether both checks of the sender failed: an answer would go to somebody who never wrote."""
    return fields.get("SPF", "").strip().lower() in ("fail", "softfail") and "pass" not in fields.get("dkim", "").lower()


def _header(headers: Message, name: str) -> str:
    return str(headers.get(name) or "")[:4000]


def _bytes(part: Message) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""


def _charsets(raw: bytes) -> dict[str, str]:
    return {str(name): str(value) for name, value in _object(raw.decode("utf-8", "replace")).items()}


def _decoded(value: bytes, charset: str) -> str:
    try:
        return value.decode(charset, "replace")
    except (LookupError, ValueError):  # there are codecs for other things than texts
        return value.decode("utf-8", "replace")


def _object(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _of_raw(raw: str) -> str:
    # Parts in parts in parts cost their depth for every line; a person's words stand in the first ones.
    starts = [found.start() for found in islice(_PART.finditer(raw), PARTS_MOST + 1)]
    cut = raw[: starts[-1]] if len(starts) > PARTS_MOST else raw
    try:
        return _body(BytesParser(policy=HTTP).parsebytes(cut.encode("utf-8", "replace")))
    except Exception:  # the parser stumbles in many ways over headers that are none: the words are still there
        return cut.replace("\r\n", "\n").partition("\n\n")[2][:FIELD_MOST]


def _body(parsed: EmailMessage) -> str:
    for kind in ("plain", "html"):
        body = parsed.get_body((kind,))
        if body is not None:
            text = _decoded(_bytes(body), str(body.get_content_charset() or "utf-8"))[:FIELD_MOST]
            return markup.words(text) if kind == "html" else text
    return ""
