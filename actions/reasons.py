"""Why a person is called: from the topic at hand and those before it. The only table of reasons here.

The application knows each reason's priority, deadline and team; a word it does not know counts as
the plain wish for a person, so a new line here can lose nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

OTHERWISE = "patient_wish"

# Topic -> reason, the most pressing first: in a conversation that touched several, the first wins.
BY_TOPIC = {
    "self_harm": "self_harm",
    "medical_urgent": "medical_urgent",
    "dv_safety": "dv_safety",
    "extortion": "extortion",
    "phishing_clicked": "phishing_clicked",
    "attacker_claim": "attacker_claim",
    "data_seen_online": "data_seen_online",
    "identity_misuse": "identity_misuse",
    "scam_pressure": "scam_pressure",
    "sensitive_records": "sensitive_records",
    "public_figure": "public_figure",
    "distress": "distress",
    "media_enquiry": "media_enquiry",
    "complaint_clinic": "complaint_clinic",
    "compensation": "compensation",
    "legal_action": "legal_action",
    "data_access_request": "data_access_request",
    "erasure_request": "erasure_request",
    "deceased_patient": "deceased_patient",
}

# Topics that are answered in words, but whose patient, once a person is asked for, cannot wait like others.
ONCE_ASKED = {
    "prescriptions": "medicine_needed",
    "lab_results": "result_awaited",
    "record_integrity": "record_doubted",
    "child_dependant": "child_matter",
    "contact_update": "contact_change",
    "case_followup": "case_awaited",
}

# What cannot wait like others of its topic: the topic at hand, what was said before it, and the reason then.
WORSE = (
    ("distress", frozenset({"distress"}), "distress_lasting"),
    ("complaint_clinic", frozenset({"complaint_clinic"}), "complaint_repeated"),
    ("deceased_patient", frozenset({"notification_status", "opt_out_messages", "late_notice"}), "bereaved_by_letter"),
    ("contact_update", frozenset({"dv_safety"}), "address_in_danger"),
)

# Who reads that a person helps when somebody presses them, and asks for one at once, is being pressed.
PRESSED_AFTER, PRESSED = "scam_message_check", "scam_pressure"

# Topics which only ask for a person; what was said before tells why.
ASKING = frozenset({"speak_human", "case_followup", "hotline_contact"})


def reason(topic: str | None, before: Sequence[str]) -> str:
    """The reason for the topic at hand, or, when it only asks for a person, of those before it."""
    for worse, after, why in WORSE:
        if topic == worse and not after.isdisjoint(before):
            return why
    if topic in BY_TOPIC:
        return BY_TOPIC[topic]
    if topic is None or topic in ASKING:
        seen = {*before, topic, PRESSED if before and before[-1] == PRESSED_AFTER else topic}
        return next((why for one, why in (BY_TOPIC | ONCE_ASKED).items() if one in seen), OTHERWISE)
    return OTHERWISE
