"""Reasons for which a person is needed: each exists once, here.

Priority 0 is an emergency at any hour, 1 the same day, 2 the next working day, 3 when there is time
(`topics.md`, column Escalate).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType


@dataclass(frozen=True)
class Reason:
    """Why a person is needed, how soon, who, and whether the assistant falls silent."""

    code: str
    priority: int
    first_response: timedelta
    team: str
    takes_over: bool = True
    """From now on the thread belongs to the team; the assistant is silent until it is handed back."""
    told: bool = True
    """The patient hears that a person will answer, and the case number."""


_MINUTES_15 = timedelta(minutes=15)
_HOURS_4 = timedelta(hours=4)
_DAY = timedelta(days=1)
_DAYS_3 = timedelta(days=3)

_ALL = (
    Reason("self_harm", 0, _MINUTES_15, "care"),
    Reason("medical_urgent", 0, _MINUTES_15, "care"),
    Reason("dv_safety", 0, _MINUTES_15, "care"),
    Reason("extortion", 0, _MINUTES_15, "incident"),
    Reason("money_moving", 0, _MINUTES_15, "incident"),
    Reason("phishing_clicked", 1, _HOURS_4, "incident"),
    Reason("attacker_claim", 1, _HOURS_4, "incident", told=False),
    Reason("data_seen_online", 1, _HOURS_4, "incident"),
    Reason("identity_misuse", 1, _HOURS_4, "incident"),
    Reason("sensitive_records", 1, _HOURS_4, "care"),
    Reason("public_figure", 1, _HOURS_4, "care"),
    Reason("medicine_needed", 1, _HOURS_4, "care"),
    Reason("result_awaited", 1, _HOURS_4, "care"),
    Reason("record_doubted", 1, _HOURS_4, "care"),
    Reason("child_matter", 2, _DAY, "care"),
    Reason("contact_change", 2, _DAY, "privacy"),
    Reason("case_awaited", 2, _DAY, "desk"),
    Reason("distress", 2, _DAY, "care"),
    Reason("media_enquiry", 2, _DAY, "press"),
    Reason("complaint_clinic", 2, _DAY, "privacy"),
    Reason("compensation", 2, _DAY, "privacy"),
    Reason("legal_action", 2, _DAY, "privacy"),
    Reason("data_access_request", 2, _DAY, "privacy"),
    Reason("erasure_request", 2, _DAY, "privacy"),
    Reason("deceased_patient", 2, _DAY, "care"),
    Reason("possible_danger", 2, _DAY, "care", takes_over=False),
    Reason("engine_failed", 2, _DAY, "desk", takes_over=False),
    Reason("not_delivered", 2, _DAY, "desk", takes_over=False, told=False),
    Reason("asked_after_stop", 2, _DAY, "desk", takes_over=False, told=False),
    Reason("too_many_letters", 3, _DAYS_3, "desk", takes_over=False, told=False),
    Reason("not_understood", 3, _DAYS_3, "desk"),
    Reason("patient_wish", 3, _DAYS_3, "desk"),
)

REASONS = MappingProxyType({reason.code: reason for reason in _ALL})
"""All reasons by code."""

OTHERWISE = "patient_wish"
"""The reason when an unknown one is asked for: nobody is turned away over a word."""


def reason(code: str) -> Reason:
    """The reason with this code, or the plain wish for a person."""
    return REASONS.get(code, REASONS[OTHERWISE])
