"""Reasons for which a person is needed: each exists once, here.

Priority 0 is an emergency and 1 the same day, both at any hour; 2 is the next working day, 3 when there
is time (`topics.md`, column Escalate). Deadlines of 0 and 1 run around the clock, those of 2 and 3 while
the desk is open.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

URGENT = 1
"""Up to this priority the clocks run at every hour."""
WORKING_DAY = timedelta(hours=8)


@dataclass(frozen=True)
class Statute:
    """A time limit that runs in calendar days, and where it comes from."""

    days: int
    source: str
    follows: bool = False
    """Whether the published number of days counts, where there is one, instead of this."""


@dataclass(frozen=True)
class Pace:
    """How soon: the first answer, each later answer, and the end of the matter."""

    first_response: timedelta
    next_response: timedelta
    resolution: timedelta


PACES = (
    Pace(timedelta(minutes=15), timedelta(minutes=15), timedelta(hours=8)),
    Pace(timedelta(hours=4), timedelta(hours=4), timedelta(hours=48)),
    Pace(WORKING_DAY, WORKING_DAY, 5 * WORKING_DAY),
    Pace(3 * WORKING_DAY, 2 * WORKING_DAY, 10 * WORKING_DAY),
)
"""The pace of each priority."""

ACCESS = Statute(40, "Personal Data (Privacy) Ordinance, Cap. 486, section 19")
CORRECTION = Statute(40, "Personal Data (Privacy) Ordinance, Cap. 486, section 23")
COMPLAINT = Statute(30, "our own promise, not the law: a complaint is answered in writing", follows=True)


@dataclass(frozen=True)
class Reason:
    """Why a person is needed, how soon, who, and whether the assistant falls silent."""

    code: str
    priority: int
    team: str
    takes_over: bool = True
    """From now on the thread belongs to the team; the assistant is silent until it is handed back."""
    told: bool = True
    """The patient hears that a person will answer, and the case number."""
    safety: str | None = None
    """The wording with the help that comes first and that a responder is offered at the top."""
    statute: Statute | None = None

    @property
    def first_response(self) -> timedelta:
        """Time for the first answer of a person: at any hour when urgent, else while the desk is open."""
        return PACES[self.priority].first_response

    @property
    def next_response(self) -> timedelta:
        """Time for the answer to a later turn."""
        return PACES[self.priority].next_response

    @property
    def resolution(self) -> timedelta:
        """Time until the matter should be closed."""
        return PACES[self.priority].resolution

    @property
    def is_urgent(self) -> bool:
        """Whether its clocks run at every hour."""
        return self.priority <= URGENT


TEAMS = ("care", "incident", "privacy", "press", "desk")
"""Who looks after what; `desk` is everybody."""

_ALL = (
    Reason("self_harm", 0, "care", safety="self_harm"),
    Reason("medical_urgent", 0, "care", safety="medical_urgent"),
    Reason("dv_safety", 0, "care", safety="dv_safety"),
    Reason("extortion", 0, "incident", safety="extortion"),
    Reason("money_moving", 0, "incident", safety="phishing_clicked"),
    Reason("phishing_clicked", 1, "incident", safety="phishing_clicked"),
    Reason("attacker_claim", 1, "incident", told=False),
    Reason("data_seen_online", 1, "incident", safety="data_seen_online"),
    Reason("identity_misuse", 1, "incident", safety="identity_misuse"),
    Reason("sensitive_records", 1, "care"),
    Reason("public_figure", 1, "care"),
    Reason("medicine_needed", 1, "care"),
    Reason("result_awaited", 1, "care"),
    Reason("record_doubted", 1, "care"),
    # What cannot wait like others of its topic: it lasts, it is said again, a letter of ours hurt.
    Reason("distress_lasting", 1, "care", safety="distress"),
    Reason("complaint_repeated", 1, "privacy", statute=COMPLAINT),
    Reason("bereaved_by_letter", 1, "care"),
    Reason("scam_pressure", 1, "incident", safety="scam_message_check"),
    Reason("address_in_danger", 1, "care", safety="dv_safety"),
    Reason("child_matter", 2, "care"),
    Reason("contact_change", 2, "privacy"),
    Reason("case_awaited", 2, "desk"),
    Reason("distress", 2, "care", safety="distress"),
    Reason("media_enquiry", 2, "press"),
    Reason("complaint_clinic", 2, "privacy", statute=COMPLAINT),
    Reason("compensation", 2, "privacy"),
    Reason("legal_action", 2, "privacy"),
    Reason("data_access_request", 2, "privacy", statute=ACCESS),
    Reason("correction_request", 2, "privacy", statute=CORRECTION),
    Reason("erasure_request", 2, "privacy"),
    Reason("deceased_patient", 2, "care"),
    Reason("identity_offline", 2, "privacy"),  # cannot receive a code: the way over counter or post
    Reason("wrong_contact", 2, "privacy", takes_over=False),  # "this is not me": the contact on file is somebody else's
    Reason("reply_undelivered", 2, "desk", takes_over=False, told=False),  # an answer did not arrive
    Reason("identity_doubted", 1, "incident", takes_over=False),  # "that was not me" after somebody was verified
    Reason("personal_answer", 2, "privacy"),  # verified, but of this person only the team speaks
    Reason("notice_resend", 2, "privacy", takes_over=False),
    Reason("asked_after_stop", 2, "desk", takes_over=False, told=False),
    Reason("too_many_letters", 3, "desk", takes_over=False, told=False),
    Reason("possible_danger", 2, "care", takes_over=False),
    Reason("engine_failed", 2, "desk", takes_over=False),
    Reason("not_understood", 3, "desk"),
    Reason("call_back", 3, "desk"),
    Reason("patient_wish", 3, "desk"),
)

REASONS = MappingProxyType({reason.code: reason for reason in _ALL})
"""All reasons by code."""

OTHERWISE = "patient_wish"
"""The reason when an unknown one is asked for: nobody is turned away over a word."""


def reason(code: str) -> Reason:
    """The reason with this code, or the plain wish for a person."""
    return REASONS.get(code, REASONS[OTHERWISE])
