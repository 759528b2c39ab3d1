"""The signatures on what we post, exactly as the providers make them.

Twilio docs: Usage, Webhooks Security (X-Twilio-Signature). SendGrid docs: Event Webhook Security Features (Signed Event Webhook).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SENDGRID_SIGNATURE = "X-Twilio-Email-Event-Webhook-Signature"
SENDGRID_TIMESTAMP = "X-Twilio-Email-Event-Webhook-Timestamp"
TWILIO_SIGNATURE = "X-Twilio-Signature"


class Signer:
    """Signs with the account's keys; raises ValueError when the ECDSA key is none."""

    def __init__(self, pem: str, auth_token: str) -> None:
        key = serialization.load_pem_private_key(pem.encode(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise ValueError("the signing key must be an elliptic curve key (P-256)")
        self._key = key
        self._token = auth_token.encode()

    @property
    def public_key(self) -> str:
        """The verification key as SendGrid shows it: base64 of the DER SubjectPublicKeyInfo."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return base64.b64encode(self._key.public_key().public_bytes(serialization.Encoding.DER, form)).decode()

    def sendgrid(self, body: bytes, timestamp: str) -> dict[str, str]:
        """Headers: base64 DER ECDSA-SHA256 over the timestamp followed by the raw body (docs: Signed Event Webhook)."""
        signature = self._key.sign(timestamp.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {SENDGRID_SIGNATURE: base64.b64encode(signature).decode(), SENDGRID_TIMESTAMP: timestamp}

    def twilio(self, url: str, form: Mapping[str, str]) -> dict[str, str]:
        """Headers: base64 HMAC-SHA1 over the URL and the sorted parameters (docs: Webhooks Security)."""
        text = url + "".join(name + form[name] for name in sorted(form))
        digest = hmac.new(self._token, text.encode("utf-8", "surrogatepass"), hashlib.sha1).digest()
        return {TWILIO_SIGNATURE: base64.b64encode(digest).decode()}
