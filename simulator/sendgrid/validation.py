"""Which Mail Send requests SendGrid refuses; everything wrong is told at once (docs: Mail Send, Errors and Limitations)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from simulator.sendgrid.content import check_attachments, check_content, check_maps, check_settings
from simulator.sendgrid.errors import Findings

PERSONALIZATIONS_MOST = 1_000
RECIPIENTS_MOST = 1_000
FUTURE_MOST_S = 72 * 3_600
CATEGORIES_MOST, CATEGORY_MOST = 10, 255
KNOWN = {
    "personalizations",
    "from",
    "reply_to",
    "reply_to_list",
    "subject",
    "content",
    "attachments",
    "template_id",
    "headers",
    "categories",
    "custom_args",
    "send_at",
    "batch_id",
    "asm",
    "ip_pool_name",
    "mail_settings",
    "tracking_settings",
    "sections",
}
KNOWN_IN_PERSONALIZATION = {
    "to",
    "cc",
    "bcc",
    "from",
    "subject",
    "headers",
    "substitutions",
    "dynamic_template_data",
    "custom_args",
    "send_at",
}
ADDRESS = re.compile(
    r"[^\s@<>(),;:\\\"\[\]]{1,64}@(?=.{1,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}"
)
FROM = (
    "The from object must be provided for every email send. It is an object that requires the email parameter, but may also "
    'contain a name parameter.  e.g. {"email" : "example@example.com"}  or '
    '{"email" : "example@example.com", "name" : "Example Recipient"}.'
)
TO = (
    "The to array is required for all personalization objects, and must have at least one email object with a valid email "
    "address."
)
SUBJECT = (
    "The subject is required. You can get around this requirement if you use a template with a subject defined or if every "
    "personalization has a subject defined."
)


def is_address(value: object) -> bool:
    """Whether this is an e-mail address SendGrid would take."""
    return isinstance(value, str) and ADDRESS.fullmatch(value) is not None


def check(body: object, now: float) -> dict[str, Any]:
    """The request when nothing is wrong with it; raises Refused with all that is."""
    found = Findings()
    if not isinstance(body, dict):
        found.add("", "Bad Request")
        found.settle()
        return {}
    for name in body.keys() - KNOWN:
        found.add(str(name)[:100], f"Additional property {str(name)[:100]} is not allowed", "additional-property")
    _check_people(found, body, now)
    if not isinstance(body.get("from"), dict) or not is_address(body["from"].get("email")):
        found.add("from.email", FROM if not isinstance(body.get("from"), dict) else "Does not contain a valid address.")
    _check_reply_to(found, body)
    _check_subject(found, body)
    check_content(found, body)
    check_maps(found, body, "")
    check_attachments(found, body.get("attachments"))
    check_settings(found, body)
    _check_categories(found, body.get("categories"))
    _check_send_at(found, body.get("send_at"), "send_at", now)
    found.settle()
    return body


def recipients(body: dict[str, Any]) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """Position of the personalization, kind (to, cc, bcc) and recipient, of a request in good order."""
    for position, person in enumerate(body["personalizations"]):
        for kind in ("to", "cc", "bcc"):
            for recipient in person.get(kind) or []:
                yield position, kind, recipient


def _check_people(found: Findings, body: dict[str, Any], now: float) -> None:
    people = body.get("personalizations")
    if not isinstance(people, list) or not people:
        found.add("personalizations", "The personalizations field is required and must have at least one personalization.")
        return
    if len(people) > PERSONALIZATIONS_MOST:
        found.add(
            "personalizations",
            f"The personalization block is limited to 1000 personalizations per API request. You have provided {len(people)} "
            "personalizations. Please consider splitting this into multiple requests and resending your request.",
        )
        return
    seen: set[str] = set()
    for position, person in enumerate(people):
        field = f"personalizations.{position}"
        if not isinstance(person, dict):
            found.add(field, "Invalid type. Expected: object.")
            continue
        for name in person.keys() - KNOWN_IN_PERSONALIZATION:
            found.add(
                f"{field}.{str(name)[:100]}", f"Additional property {str(name)[:100]} is not allowed", "additional-property"
            )
        _check_person(found, person, field, seen)
        check_maps(found, person, f"{field}.")
        _check_send_at(found, person.get("send_at"), f"{field}.send_at", now)
    if len(seen) > RECIPIENTS_MOST:
        found.add("personalizations", "There is a limit of 1000 total recipients (to + cc + bcc) per request.")


def _check_person(found: Findings, person: dict[str, Any], field: str, seen: set[str]) -> None:
    """An address may stand only once in a request, whatever its case (docs: Mail Send, Errors)."""
    if not isinstance(person.get("to"), list) or not person["to"]:
        found.add(f"{field}.to", TO)
    if "from" in person and (not isinstance(person["from"], dict) or not is_address(person["from"].get("email"))):
        found.add(f"{field}.from.email", "Does not contain a valid address.")
    for kind in ("to", "cc", "bcc"):
        listed = person.get(kind)
        if listed is None:
            continue
        if not isinstance(listed, list):
            found.add(f"{field}.{kind}", "Invalid type. Expected: array.")
            continue
        for place, one in enumerate(listed):
            email = one.get("email") if isinstance(one, dict) else None
            if not is_address(email):
                found.add(f"{field}.{kind}.{place}.email", "Does not contain a valid address.")
                continue
            assert isinstance(one, dict)
            if not isinstance(one.get("name", ""), str | None):
                found.add(f"{field}.{kind}.{place}.name", "The name parameter must be a string.")
            if str(email).lower() in seen:
                found.add(
                    field,
                    "Each email address in the personalization block should be unique between to, cc, and bcc. "
                    f"We found the first duplicate instance of [{email}] in the {field}.{kind} field.",
                    "personalizations.duplicates",
                )
            seen.add(str(email).lower())


def _check_reply_to(found: Findings, body: dict[str, Any]) -> None:
    one, many = body.get("reply_to"), body.get("reply_to_list")
    if one is not None and many is not None:
        found.add("reply_to", "You can use either the reply_to property or the reply_to_list property but not both.")
    if one is not None and (not isinstance(one, dict) or not is_address(one.get("email"))):
        found.add("reply_to.email", "The reply_to object, when used, must contain a valid email address.")
    if many is not None:
        if not isinstance(many, list) or not 1 <= len(many) <= RECIPIENTS_MOST:
            found.add("reply_to_list", "The reply_to_list must have between 1 and 1000 entries.")
        elif not all(isinstance(entry, dict) and is_address(entry.get("email")) for entry in many):
            found.add("reply_to_list", "Each entry of the reply_to_list must contain a valid email address.")


def _check_subject(found: Findings, body: dict[str, Any]) -> None:
    subject, people = body.get("subject"), body.get("personalizations")
    if subject is not None and not isinstance(subject, str):
        found.add("subject", "The subject must be a string.")
        return
    own = [person.get("subject") for person in people if isinstance(person, dict)] if isinstance(people, list) else []
    if any(one is not None and (not isinstance(one, str) or not one) for one in own):
        found.add("personalizations.subject", "The subject of your email must be a string at least one character in length.")
    if not subject and not body.get("template_id") and not (own and all(own)):
        found.add("subject", SUBJECT)


def _check_categories(found: Findings, categories: object) -> None:
    if categories is None:
        return
    if not isinstance(categories, list) or not all(isinstance(one, str) for one in categories):
        found.add("categories", "The categories must be an array of strings.")
        return
    if len(categories) > CATEGORIES_MOST:
        found.add("categories", "You cannot have more than 10 categories per request.")
    if len(set(categories)) < len(categories):
        found.add("categories", "The categories should be unique.")
    if any(len(one) > CATEGORY_MOST for one in categories):
        found.add("categories", "A category cannot have more than 255 characters.")
    if any(not one.isascii() for one in categories):
        found.add("categories", "The category must be in 7bit encoding.")


def _check_send_at(found: Findings, send_at: object, field: str, now: float) -> None:
    if send_at is None:
        return
    if not isinstance(send_at, int) or isinstance(send_at, bool) or send_at < 0:
        found.add(field, "The send_at parameter must be an integer, a unix timestamp.")
    elif send_at > now + FUTURE_MOST_S:
        found.add(field, "The send_at parameter cannot be more than 72 hours in the future.")
