"""Who may do what: the one table of roles and permissions."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from types import MappingProxyType


class Role(StrEnum):
    """What somebody on the team is."""

    AGENT = "agent"  # answers patients
    LEAD = "lead"  # runs the desk
    PRIVACY_OFFICER = "privacy_officer"  # persons on file, exports, erasure, the regulator
    APPROVER = "approver"  # approves what is said and sent
    AUDITOR = "auditor"  # sees everything that was done and changes nothing
    ADMIN = "admin"  # accounts and roles; no patient


class Permission(StrEnum):
    """What can be permitted."""

    SEE_QUEUE = "see_queue"
    WORK_CASES = "work_cases"  # claim, answer, note, call, close
    REVEAL = "reveal"  # see what is masked in a transcript, with a reason
    SEARCH_PATIENTS = "search_patients"
    MERGE_CASES = "merge_cases"
    RUN_DESK = "run_desk"  # weather, surge, release others' cases, ask for bulk closing
    CHANGE_CONTACTS = "change_contacts"  # with a second person
    EXPORT = "export"  # with a second person
    ERASE = "erase"  # with a second person
    DECIDE = "decide"  # be the second person
    PROPOSE_TEXTS = "propose_texts"
    APPROVE_TEXTS = "approve_texts"
    SEE_FIGURES = "see_figures"
    SEE_LOG = "see_log"
    MANAGE_STAFF = "manage_staff"  # invite, suspend, roles, recovery
    IMPORT_ROSTER = "import_roster"  # bring in the list of those who have to be told
    SEE_CAMPAIGNS = "see_campaigns"
    STOP_CAMPAIGNS = "stop_campaigns"  # pause, when something looks wrong
    RUN_CAMPAIGNS = "run_campaigns"  # plan, test, submit, start, release waves, resume, cancel, settle doubts
    APPROVE_CAMPAIGNS = "approve_campaigns"  # be the second person for exactly what was submitted


_P = Permission
ALLOWS = MappingProxyType(
    {
        Role.AGENT: frozenset({_P.SEE_QUEUE, _P.WORK_CASES, _P.REVEAL, _P.SEARCH_PATIENTS, _P.SEE_FIGURES}),
        Role.LEAD: frozenset(
            {
                *(_P.SEE_QUEUE, _P.WORK_CASES, _P.REVEAL, _P.SEARCH_PATIENTS, _P.SEE_FIGURES),
                *(_P.MERGE_CASES, _P.RUN_DESK, _P.CHANGE_CONTACTS, _P.DECIDE, _P.PROPOSE_TEXTS, _P.SEE_LOG),
                *(_P.SEE_CAMPAIGNS, _P.STOP_CAMPAIGNS),
            }
        ),
        Role.PRIVACY_OFFICER: frozenset(
            {
                *(_P.SEE_QUEUE, _P.WORK_CASES, _P.REVEAL, _P.SEARCH_PATIENTS, _P.SEE_FIGURES, _P.MERGE_CASES),
                *(_P.CHANGE_CONTACTS, _P.EXPORT, _P.ERASE, _P.DECIDE, _P.PROPOSE_TEXTS, _P.SEE_LOG),
                *(_P.IMPORT_ROSTER, _P.SEE_CAMPAIGNS, _P.STOP_CAMPAIGNS, _P.RUN_CAMPAIGNS),
            }
        ),
        Role.APPROVER: frozenset(
            {
                *(_P.SEE_QUEUE, _P.SEE_FIGURES, _P.PROPOSE_TEXTS, _P.APPROVE_TEXTS, _P.DECIDE),
                *(_P.SEE_CAMPAIGNS, _P.STOP_CAMPAIGNS, _P.APPROVE_CAMPAIGNS),
            }
        ),
        Role.AUDITOR: frozenset({_P.SEE_QUEUE, _P.SEE_FIGURES, _P.SEE_LOG, _P.SEE_CAMPAIGNS}),
        Role.ADMIN: frozenset({_P.MANAGE_STAFF, _P.DECIDE, _P.SEE_LOG}),
    }
)
"""What each role may do; whoever has several roles may do what any of them may."""

CHANGES_NOTHING = frozenset({Permission.SEE_QUEUE, Permission.SEE_FIGURES, Permission.SEE_LOG, Permission.SEE_CAMPAIGNS})
"""Permissions that let nobody change anything: all that an auditor has."""


def permitted(roles: Iterable[str]) -> frozenset[Permission]:
    """Everything somebody with these roles may do; a word that is no role permits nothing."""
    known = [Role(role) for role in roles if role in Role.__members__.values()]
    return frozenset().union(*(ALLOWS[role] for role in known))
