"""SendGrid's refusals and the JSON they come in (docs: Mail Send, Errors; API Reference, How to use the API, Responses)."""

from __future__ import annotations

from typing import Any

HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html"

UNAUTHORIZED = "The provided authorization grant is invalid, expired, or revoked"
SENDER = (
    "The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved. "
    "Visit https://sendgrid.com/docs/for-developers/sending-email/sender-identity/ to see the Sender Identity requirements"
)


class Refused(Exception):
    """A request that SendGrid answers with an error."""

    def __init__(self, status: int, errors: list[dict[str, Any]]) -> None:
        super().__init__(status)
        self.status = status
        self.errors = errors

    @classmethod
    def single(cls, status: int, message: str, field: str | None = None) -> Refused:
        """With one error."""
        return cls(status, [{"message": message, "field": field, "help": None}])

    def content(self) -> dict[str, Any]:
        """The JSON of the answer."""
        return {"errors": self.errors}


class Findings:
    """Collects everything that is wrong with one request, as SendGrid reports it: all at once."""

    def __init__(self) -> None:
        self.errors: list[dict[str, Any]] = []

    def add(self, field: str, message: str, anchor: str = "") -> None:
        """One more; of very many only the first are told."""
        if len(self.errors) < 100:
            name = anchor or ".".join(part for part in field.split(".") if not part.isdecimal())
            self.errors.append({"message": message, "field": field, "help": f"{HELP}#message.{name}"})

    def settle(self) -> None:
        """Raise Refused when anything was found."""
        if self.errors:
            raise Refused(400, self.errors)
