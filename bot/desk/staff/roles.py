"""Who may do what: the one table of roles and permissions."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from types import MappingProxyType

from bot.base.errors import BadInput


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
    MANAGE_STAFF = "manage_staff"  # invite, suspend, roles, recovery, tokens of programs
    IMPORT_ROSTER = "import_roster"  # bring in the list of those who have to be told
    SEE_CAMPAIGNS = "see_campaigns"
    STOP_CAMPAIGNS = "stop_campaigns"  # pause, when something looks wrong
    RUN_CAMPAIGNS = "run_campaigns"  # plan, test, submit, start, release waves, resume, cancel, settle doubts
    APPROVE_CAMPAIGNS = "approve_campaigns"  # be the second person for exactly what was submitted
    READ_TEXTS = "read_texts"  # look up approved texts
    MANAGE_WEBHOOKS = "manage_webhooks"  # where programs are told of events of cases


class Scope(StrEnum):
    """What a program may do with a token; its account has these where a person has roles."""

    CASES_READ = "cases:read"  # the queue, and cases with private details hidden
    CASES_WORK = "cases:work"  # take, answer, note, call, close; reading goes with it
    CASES_REVEAL = "cases:reveal"  # one line as it was written, with a reason
    CASES_MERGE = "cases:merge"  # put two cases of one person together, and apart
    PATIENTS_SEARCH = "patients:search"  # look up who is on file, with a reason
    TEXTS_READ = "texts:read"  # look up approved texts
    FIGURES_READ = "figures:read"  # the wallboard
    WEBHOOKS_MANAGE = "webhooks:manage"  # say where events are posted


_P = Permission
ALLOWS = MappingProxyType(
    {
        Role.AGENT: frozenset(
            {_P.SEE_QUEUE, _P.WORK_CASES, _P.REVEAL, _P.SEARCH_PATIENTS, _P.SEE_FIGURES, _P.READ_TEXTS},
        ),
        Role.LEAD: frozenset(
            {
                *(_P.SEE_QUEUE, _P.WORK_CASES, _P.REVEAL, _P.SEARCH_PATIENTS, _P.SEE_FIGURES),
                *(_P.MERGE_CASES, _P.RUN_DESK, _P.CHANGE_CONTACTS, _P.DECIDE, _P.PROPOSE_TEXTS, _P.SEE_LOG, _P.READ_TEXTS),
                *(_P.SEE_CAMPAIGNS, _P.STOP_CAMPAIGNS),
            }
        ),
        Role.PRIVACY_OFFICER: frozenset(
            {
                *(_P.SEE_QUEUE, _P.WORK_CASES, _P.REVEAL, _P.SEARCH_PATIENTS, _P.SEE_FIGURES, _P.MERGE_CASES),
                *(_P.CHANGE_CONTACTS, _P.EXPORT, _P.ERASE, _P.DECIDE, _P.PROPOSE_TEXTS, _P.SEE_LOG, _P.READ_TEXTS),
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
        Role.ADMIN: frozenset({_P.MANAGE_STAFF, _P.MANAGE_WEBHOOKS, _P.DECIDE, _P.SEE_LOG}),
    }
)
"""What each role may do; whoever has several roles may do what any of them may."""

GRANTS = MappingProxyType(
    {
        Scope.CASES_READ: (_P.SEE_QUEUE,),
        Scope.CASES_WORK: (_P.WORK_CASES, _P.SEE_QUEUE),
        Scope.CASES_REVEAL: (_P.REVEAL, _P.SEE_QUEUE),
        Scope.CASES_MERGE: (_P.MERGE_CASES, _P.SEE_QUEUE),
        Scope.PATIENTS_SEARCH: (_P.SEARCH_PATIENTS,),
        Scope.TEXTS_READ: (_P.READ_TEXTS,),
        Scope.FIGURES_READ: (_P.SEE_FIGURES,),
        Scope.WEBHOOKS_MANAGE: (_P.MANAGE_WEBHOOKS,),
    }
)
"""What each scope allows, its own permission first. None lets a program decide, ask for what takes two, or manage people."""

CHANGES_NOTHING = frozenset({Permission.SEE_QUEUE, Permission.SEE_FIGURES, Permission.SEE_LOG, Permission.SEE_CAMPAIGNS})
"""Permissions that let nobody change anything: all that an auditor has."""


def permitted(roles: Iterable[str]) -> frozenset[Permission]:
    """Everything somebody with these roles, or a program with these scopes, may do; any other word permits nothing."""
    listed = list(roles)
    by_role = (ALLOWS[Role(word)] for word in listed if word in Role.__members__.values())
    by_scope = (frozenset(GRANTS[Scope(word)]) for word in listed if word in Scope.__members__.values())
    return frozenset().union(*by_role, *by_scope)


def is_program(roles: Iterable[str]) -> bool:
    """Whether these are the scopes of a program and not the roles of a person."""
    return any(word in Scope.__members__.values() for word in roles)


def people_only(roles: Iterable[str]) -> None:
    """Raise BadInput for the account of a program: nobody signs in with it, has roles by it or is on duty as it."""
    if is_program(roles):
        raise BadInput("This account belongs to a program: it has tokens and scopes, no roles, password or shift.")
