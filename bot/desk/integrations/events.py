"""Events of cases, laid down for whoever listens in the transaction in which they happen.

An event holds the case's number, its reason, priority, team and times, and codes that belong to what happened. It never holds a
name, an address, a word of anybody or a number of a person on file.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.desk.integrations.models import LISTENING, WebhookDelivery, WebhookEndpoint, WebhookEvent
from bot.desk.models import Case

EVENTS = MappingProxyType(
    {
        "case.opened": "a patient needs a person",
        "case.reason_added": "a further reason was found in a live case",
        "case.patient_wrote": "the patient of a live case has written",
        "case.claimed": "somebody has taken the case",
        "case.taken_over": "somebody has taken the case from a colleague",
        "case.released": "the case is back in the queue",
        "case.transferred": "the case was handed to a colleague or team",
        "case.replied": "a reply has left for the patient",
        "case.called": "a telephone call was logged",
        "case.noted": "a private note was kept",
        "case.snoozed": "the case was put off",
        "case.woken": "the time to which it was put off has come",
        "case.handed_back": "the assistant answers the patient again",
        "case.call_booked": "the patient has booked a call",
        "case.call_cancelled": "a booked call was given up",
        "case.warned": "three quarters of the time of a deadline have gone",
        "case.breached": "a deadline has passed",
        "case.resolved": "the case was closed",
        "case.reopened": "the case was opened again",
        "case.merged": "the case goes on in another one",
        "case.merge_undone": "a merged case stands for itself again",
        "webhook.test": "somebody tries an endpoint",
    }
)
"""Every type of event, and when it is told."""

OF_LOG = MappingProxyType(
    {
        **{name.removeprefix("case."): name for name in EVENTS if name.startswith("case.")},
        "taken_back": "case.released",
        "note_added": "case.noted",
    }
)
"""The event of each kind of entry in the sealed log about a case; kinds that are not here are told to nobody."""

_TOLD = MappingProxyType(
    {
        **{name: name for name in ("outcome", "into", "other", "until", "slot", "result", "minutes")},
        "team": "to_team",
        "reason": "further_reason",
    }
)
"""Of what an entry holds, what an event may hold, and how it is called there: codes, numbers of cases and times."""


def note(session: Session, case: Case, kind: str, at: datetime, **content: Any) -> None:
    """Lay an event down for everybody who listens to it; `kind` is that of the log's entry. Nothing when nobody does."""
    name = OF_LOG.get(kind)
    if name is None:
        return
    told = {name_of: content[key] for key, name_of in _TOLD.items() if content.get(key) is not None}
    _lay_down(session, listeners(session, name), name, case, at, told)


def listeners(session: Session, name: str) -> list[WebhookEndpoint]:
    """The endpoints that want to hear of events of this type."""
    rows = session.scalars(select(WebhookEndpoint).where(WebhookEndpoint.status.in_([one.value for one in LISTENING])))
    return [row for row in rows if not row.events or name in row.events]


def note_for(
    session: Session, endpoints: Sequence[WebhookEndpoint], name: str, case: Case | None, at: datetime, **more: Any
) -> str:
    """The same for certain endpoints: a clock that ran out after they began to listen, or a test. Returns the event's id."""
    return _lay_down(session, endpoints, name, case, at, more)


def _lay_down(
    session: Session,
    endpoints: Sequence[WebhookEndpoint],
    name: str,
    case: Case | None,
    at: datetime,
    more: Mapping[str, Any],
) -> str:
    if not endpoints:
        return ""
    data = {**(_of_case(case) if case else {}), **more}
    event = WebhookEvent(uid=f"msg_{secrets.token_hex(16)}", type=name, case_id=case.id if case else None, data=data, at=at)
    session.add(event)
    session.flush()
    session.add_all(
        WebhookDelivery(endpoint_id=one.id, event_id=event.id, case_id=event.case_id, next_at=at) for one in endpoints
    )
    return event.uid


def _of_case(case: Case) -> dict[str, Any]:
    return {
        "case": case.number,
        "version": case.version,
        "status": case.status,
        "reason": case.reason,
        "priority": case.priority,
        "team": case.team,
        "claimed_by": case.claimed_by,
        "opened_at": _moment(case.opened_at),
        "waiting_since": _moment(case.waiting_since),
        "first_response_due_at": _moment(case.first_response_due_at),
        "first_responded_at": _moment(case.first_responded_at),
        "next_response_due_at": _moment(case.next_response_due_at),
        "resolution_due_at": _moment(case.resolution_due_at),
        "statutory_due_at": _moment(case.statutory_due_at),
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
