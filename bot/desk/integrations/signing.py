"""Signatures of what is posted, by the Standard Webhooks scheme (standardwebhooks.com, symmetric `v1`).

The signed text is `webhook-id.webhook-timestamp.body`; the key is what stands behind `whsec_`, in base64. While a secret is being
changed both sign, the new one first.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

SECRET_PREFIX = "whsec_"  # noqa: S105 - what a secret begins with
SECRET_BYTES = 32


def new_secret() -> str:
    """A fresh secret, as the other side enters it."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def headers(uid: str, at: datetime, body: bytes, keys: Iterable[str]) -> dict[str, str]:
    """The three headers of a post, signed with each of the secrets."""
    stamp = str(int(at.timestamp()))
    signed = b".".join((uid.encode(), stamp.encode(), body))
    signatures = [f"v1,{_signature(key, signed)}" for key in keys]
    return {"webhook-id": uid, "webhook-timestamp": stamp, "webhook-signature": " ".join(signatures)}


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
