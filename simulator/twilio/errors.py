"""Twilio's refusals: codes, sentences, and the JSON they come in (docs: API, Errors, one page a code)."""

from __future__ import annotations

from typing import Any

PAGE = "https://www.twilio.com/docs/errors/"

SENTENCES: dict[int, tuple[int, str]] = {
    20001: (400, "Invalid parameter: {what}"),
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20009: (409, "Cannot {what} this resource before it is complete"),
    20404: (404, "The requested resource {what} was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service is unavailable. Please try again."),
    21211: (400, "Invalid 'To' Phone Number: {what}"),
    21212: (400, "Invalid From Number (caller ID): {what}"),
    21266: (400, "'To' and 'From' number cannot be the same: {what}"),
    21408: (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number: {what}"),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (
        400,
        "The 'From' phone number {what} is not a valid, SMS-capable inbound phone number or short code for your account.",
    ),
    21608: (400, "The number {what} is unverified. Trial accounts cannot send messages to unverified numbers."),
    21609: (400, "The 'StatusCallback' URL {what} is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "The 'From' number {what} has exceeded the maximum number of queued messages"),
    21612: (400, "Message cannot be sent with the current combination of 'To' ({what}) and/or 'From' parameters"),
    21614: (400, "'To' number is not a valid mobile number: {what}"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21619: (400, "A text message body or media urls must be specified."),
    21620: (400, "Invalid media URL(s)"),
    21623: (400, "Number of media files exceeds allowed limit"),
    21655: (400, "The ContentSid is invalid: {what}"),
    21656: (400, "The Content Variables parameter is invalid."),
    21701: (400, "The Messaging Service {what} does not exist"),
    21703: (400, "The Messaging Service does not have a phone number available to send a message to {what}"),
    21910: (400, "Invalid 'From' and 'To' pair. 'From' and 'To' should be of the same channel"),
    30409: (409, "Message cannot be canceled"),
    35111: (400, "SendAt timestamp is missing"),
    35115: (400, "SendAt time must be more than 300 seconds and at most 35 days in the future, in UTC"),
    35118: (400, "MessagingServiceSid is required to schedule a message"),
    63007: (400, "Twilio could not find a Channel with the specified From address"),
    63021: (400, "Channel invalid content error: the template's text exceeds 1024 characters"),
}

LATER: dict[int, str] = {
    30001: "Queue overflow",
    30003: "Unreachable destination handset",
    30004: "Message blocked",
    30005: "Unknown destination handset",
    30006: "Landline or unreachable carrier",
    30007: "Message filtered",
    30008: "Unknown error",
    30036: "Validity Period Expired",
    30500: "Internal failure",
    63003: "Channel could not find To address",
    63014: "Message blocked by user action",
    63016: "Failed to send freeform message because you are outside the allowed window",
    63018: "Rate limit exceeded for Channel",
    63032: "User cannot be sent this message due to a limitation of the channel",
    63049: "Meta chose not to deliver this message",
}
"""Errors that come with a status later, not with the answer."""


class Refused(Exception):
    """A request that Twilio answers with an error."""

    def __init__(self, code: int, what: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.status, sentence = SENTENCES[code]
        self.message = sentence.format(what=what[:200])

    def content(self) -> dict[str, Any]:
        """The JSON of the answer."""
        return {"code": self.code, "message": self.message, "more_info": f"{PAGE}{self.code}", "status": self.status}
