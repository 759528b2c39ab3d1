"""Every topic with the reason and the urgency with which a person is called: what the team agreed for all sixty-six."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from actions.reasons import BY_TOPIC, reason
from bot.base.settings import REPOSITORY
from bot.desk.reasons import REASONS

FAQ = REPOSITORY / "data" / "faq"

CALLS = {
    "self_harm": ("self_harm", 0),
    "medical_urgent": ("medical_urgent", 0),
    "dv_safety": ("dv_safety", 0),
    "extortion": ("extortion", 0),
    "phishing_clicked": ("phishing_clicked", 1),
    "data_seen_online": ("data_seen_online", 1),
    "identity_misuse": ("identity_misuse", 1),
    "sensitive_records": ("sensitive_records", 1),
    "public_figure": ("public_figure", 1),
    "distress": ("distress", 2),
    "media_enquiry": ("media_enquiry", 2),
    "complaint_clinic": ("complaint_clinic", 2),
    "compensation": ("compensation", 2),
    "legal_action": ("legal_action", 2),
    "data_access_request": ("data_access_request", 2),
    "erasure_request": ("erasure_request", 2),
    "deceased_patient": ("deceased_patient", 2),
}
"""Topics with which a person is called at once."""

ONCE_ASKED = {
    "prescriptions": ("medicine_needed", 1),
    "lab_results": ("result_awaited", 1),
    "record_integrity": ("record_doubted", 1),
    "scam_message_check": ("scam_pressure", 1),
    "contact_update": ("contact_change", 2),
    "child_dependant": ("child_matter", 2),
    "case_followup": ("case_awaited", 2),
}
"""Topics that are answered in words, and what counts once their patient asks for a person."""

WORSE = {
    ("distress", "distress"): ("distress_lasting", 1),
    ("complaint_clinic", "complaint_clinic"): ("complaint_repeated", 1),
    ("deceased_patient", "notification_status"): ("bereaved_by_letter", 1),
    ("contact_update", "dv_safety"): ("address_in_danger", 1),
}
"""A topic after another, and what cannot wait like others of its kind then."""

SELF_SERVE = frozenset(path.stem for path in FAQ.glob("*.yml")) - set(CALLS) - set(ONCE_ASKED)


def priority(why: str) -> tuple[str, int]:
    return why, REASONS[why].priority


@pytest.mark.parametrize("topic", CALLS)
def test_a_topic_that_calls_a_person_does_so_with_its_own_urgency(topic: str) -> None:
    assert priority(reason(topic, [])) == CALLS[topic]


@pytest.mark.parametrize("topic", [*ONCE_ASKED, *CALLS])
def test_whoever_asks_for_a_person_after_it_gets_one_as_soon_as_the_topic_needs(topic: str) -> None:
    assert priority(reason("speak_human", [topic])) == (CALLS | ONCE_ASKED)[topic]


@pytest.mark.parametrize("topic", sorted(SELF_SERVE))
def test_every_other_topic_is_answered_in_words_and_a_person_comes_when_asked_for(topic: str) -> None:
    assert priority(reason("speak_human", [topic])) == ("patient_wish", 3)


@pytest.mark.parametrize("pair", WORSE)
def test_what_was_said_before_makes_it_more_urgent(pair: tuple[str, str]) -> None:
    topic, before = pair
    assert priority(reason(topic, [before])) == WORSE[pair]


def test_whoever_only_looked_at_a_message_long_ago_is_not_taken_for_somebody_under_pressure() -> None:
    assert reason("speak_human", ["scam_message_check", "appointments"]) == "patient_wish"


@pytest.mark.parametrize("path", sorted(FAQ.glob("*.yml")), ids=lambda path: path.stem)
def test_the_rules_call_a_person_for_these_topics_and_no_others(path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    steps = [step.get("action") for rule in document["rules"] for step in rule["steps"]]
    assert ("action_hand_over" in steps) == (path.stem in CALLS)


def test_no_reason_of_a_topic_is_forgotten_here() -> None:
    assert {*BY_TOPIC.values()} - {why for why, _ in CALLS.values()} == {"attacker_claim", "scam_pressure"}
