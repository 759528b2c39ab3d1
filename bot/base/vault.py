"""Personal data at rest: sealed fields and blind indexes, under keys that never enter the database.

A sealed field is AES-256-GCM under the newest key of a ring; its token names the key, so that old
rows stay readable while they are sealed anew. The context (`turns.text`) is authenticated with it:
a token copied into another column does not open. A blind index is a keyed hash by which a row can
be found without its value being readable; it names its key and the version of its normaliser, and
a look-up asks under all that are alive. Nothing here may put a key or a value into an error.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import re
import secrets
import unicodedata
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.base.errors import BadInput, Misconfigured, Tampered

KEY_BYTES = 32
NONCE_BYTES = 12
# An index string must fit its column (80): 12 + "." + 2 + "." + 64.
_KEY_ID = re.compile(r"[a-z0-9-]{1,12}")


def new_key(key_id: str) -> str:
    """A fresh random key as `id:base64`; raises Misconfigured for an id that cannot be used."""
    if not _KEY_ID.fullmatch(key_id):
        raise Misconfigured("A key's id has 1 to 12 lower-case letters, digits or hyphens.")
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()}"


class KeyRing:
    """The keys of one purpose, newest first, checked when they are read."""

    def __init__(self, purpose: str, keys: str) -> None:
        """Parse `id:base64,id:base64`; raises Misconfigured saying which entry is wrong, never its content."""
        self.purpose = purpose
        self._keys: dict[str, bytes] = {}
        entries = [entry.strip() for entry in keys.split(",") if entry.strip()]
        if not entries:
            raise Misconfigured(f"{purpose}: there is no key; `./candour up` makes one on its first start.")
        for place, entry in enumerate(entries, start=1):
            key_id, key = _parse(f"{purpose}: entry {place}", entry)
            if key_id in self._keys or key in self._keys.values():
                raise Misconfigured(f"{purpose}: entry {place} repeats the id or the key of an earlier one.")
            self._keys[key_id] = key
        self.newest_id = next(iter(self._keys))

    def __repr__(self) -> str:
        return f"KeyRing({self.purpose!r}, {len(self._keys)} keys)"

    def get(self, key_id: str) -> bytes | None:
        """The key with this id, or None when it is not in the ring."""
        return self._keys.get(key_id)

    def items(self) -> list[tuple[str, bytes]]:
        """All keys with their ids, newest first."""
        return list(self._keys.items())


def _parse(where: str, entry: str) -> tuple[str, bytes]:
    key_id, colon, encoded = entry.partition(":")
    if not colon or not _KEY_ID.fullmatch(key_id):
        raise Misconfigured(f"{where} must be `id:base64`, the id 1 to 12 lower-case letters, digits or hyphens.")
    try:
        key = base64.b64decode(encoded.strip().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise Misconfigured(f"{where} is not valid base64.") from None
    if len(key) != KEY_BYTES:
        raise Misconfigured(f"{where} has {len(key)} bytes where a key has {KEY_BYTES}.")
    if len(set(key)) < KEY_BYTES // 4:
        raise Misconfigured(f"{where} is not random; make one with `openssl rand -base64 {KEY_BYTES}`.")
    return key_id, key


class Vault:
    """Seals and opens single fields."""

    def __init__(self, keys: str) -> None:
        """Take the ring `id:base64,…`, newest first; raises Misconfigured when it is wrong."""
        ring = KeyRing("vault_keys", keys)
        self._newest = ring.newest_id
        self._ciphers = {key_id: AESGCM(key) for key_id, key in ring.items()}

    def seal(self, text: str, context: str) -> str:
        """The text as a token `keyid.base64` that opens only for the same context."""
        nonce = os.urandom(NONCE_BYTES)
        # surrogatepass: half a character from a broken client must not make its turn unstorable.
        plain = text.encode("utf-8", "surrogatepass")
        sealed = self._ciphers[self._newest].encrypt(nonce, plain, _bound(self._newest, context))
        return f"{self._newest}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, token: str, context: str) -> str:
        """The text of a token; raises Tampered when it was changed, moved to another context or its key is gone."""
        key_id, _, encoded = token.partition(".")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            raise Tampered("A sealed field names a key that is not in the ring.")
        try:
            # Strict: decoding that skips foreign characters would let one text have many tokens.
            raw = base64.b64decode(encoded, altchars=b"-_", validate=True)
            plain = cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], _bound(key_id, context))
        except (InvalidTag, ValueError):
            raise Tampered("A sealed field does not match its seal.") from None
        return plain.decode("utf-8", "surrogatepass")

    def needs_rotation(self, token: str) -> bool:
        """Whether the token was sealed under a key that is no longer the newest."""
        return token.partition(".")[0] != self._newest


def _bound(key_id: str, context: str) -> bytes:
    return f"candour.vault.1\0{key_id}\0{context}".encode()


class BlindIndex:
    """Keyed hashes by which sealed values are found again."""

    def __init__(self, keys: str) -> None:
        """Take the ring `id:base64,…`, newest first; raises Misconfigured when it is wrong."""
        self._keys = KeyRing("index_keys", keys).items()

    def index(self, kind: str, value: str) -> str:
        """`keyid.version.hex` under the newest key and normaliser; raises BadInput for a value that is none of its kind."""
        key_id, key = self._keys[0]
        version, normalise = _NORMALISERS[kind][0]
        return _entry(key_id, key, version, kind, normalise(value))

    def every(self, kind: str, value: str) -> list[str]:
        """The same under every live key and normaliser, newest first; look-ups ask for all of them."""
        normalised = [(version, normalise(value)) for version, normalise in _NORMALISERS[kind]]
        return [_entry(key_id, key, version, kind, text) for key_id, key in self._keys for version, text in normalised]

    def needs_rotation(self, kind: str, entry: str) -> bool:
        """Whether a stored entry was made under an older key or normaliser."""
        return entry.rpartition(".")[0] != f"{self._keys[0][0]}.{_NORMALISERS[kind][0][0]}"


def _entry(key_id: str, key: bytes, version: int, kind: str, text: str) -> str:
    bound = f"candour.index.{version}\0{kind}\0".encode() + text.encode("utf-8", "surrogatepass")
    mac = hmac.digest(key, bound, "sha256").hex()
    return f"{key_id}.{version}.{mac}"


def _as_is(value: str) -> str:
    return value


def _text(value: str) -> str:
    return " ".join(_folded(value).split())


def _email(value: str) -> str:
    folded = _folded(value).strip()
    name, at, domain = folded.rpartition("@")
    if not (name and at and domain) or any(c.isspace() for c in folded):
        raise BadInput("That is not an e-mail address.")
    return folded


def _folded(value: str) -> str:
    if value.isascii():
        return value.casefold()  # nothing invisible, nothing to compose
    # Invisible characters (zero-width, byte order mark) come with copying and are part of no address.
    visible = "".join(c for c in value if unicodedata.category(c) != "Cf")
    # Folding can undo the normal form and the form can need folding again: go on until it rests.
    while (folded := unicodedata.normalize("NFKC", visible).casefold()) != visible:
        visible = folded
    return visible


_E164 = re.compile(r"\+[1-9][0-9]{6,14}")


def _phone(value: str) -> str:
    """E.164 digits without the plus; eight digits alone are a Hong Kong number."""
    if _E164.fullmatch(value):
        return value[1:]
    text = unicodedata.normalize("NFKC", value)
    text = "".join(c for c in text if unicodedata.category(c) not in ("Cf", "Zs")).replace("(0)", "")
    text = re.sub(r"[-.()/\u2010-\u2015\u2212]", "", text)
    international = text.startswith(("+", "00"))
    digits = text[1:] if text.startswith("+") else text.removeprefix("00")
    if not re.fullmatch(r"[0-9]{7,15}", digits) or digits.startswith("0"):
        raise BadInput("That is not a telephone number.")
    if international or (len(digits) == 11 and digits.startswith("852")):
        return digits
    if len(digits) == 8:
        return "852" + digits
    raise BadInput("A number from outside Hong Kong needs its country code with a plus in front.")


_ALIKE = str.maketrans({"O": "0", "I": "1", "L": "1"})


def _reference(value: str) -> str:
    """The ten signs of a reference, as Crockford's base 32 reads them; whether they check is for `patients.references`."""
    signs = re.sub(r"[\W_]", "", unicodedata.normalize("NFKC", value)).upper().translate(_ALIKE)
    if not re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{10}", signs):
        raise BadInput("That is not a reference.")
    return signs


# Newest version first. A changed rule is a new version; the old one stays until no row carries it.
_NORMALISERS: dict[str, list[tuple[int, Callable[[str], str]]]] = {
    "web": [(1, _as_is)],
    "line": [(1, _as_is)],  # channel, our address and theirs, normalised by whoever joins them
    "phone": [(1, _phone)],
    "email": [(1, _email)],
    "text": [(1, _text)],
    "code": [(1, _as_is)],  # a one-time code, joined with what it is bound to
    "network": [(1, _as_is)],  # a caller's network address
    "token": [(1, _as_is)],  # what a program shows
    "reference": [(1, _reference)],
    **{kind: [(1, _text)] for kind in ("key", "name", "post", "household")},
}
