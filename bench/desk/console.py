"""`bench console`: how long the team waits for its pages when the desk is at its busiest.

A real web process over a database of 100,000 persons, 50,000 threads and 5,000 live cases; agents who sign in through the form
with password and second factor, and then open the queue with its filters, cases, searches and the wallboard as a browser would.
"""

from __future__ import annotations

import os
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
from sqlalchemy import select

from bench.campaigns.house import Installation, resident_mb
from bench.desk.crowd import Crowd, gather
from bot.base.clock import system_clock
from bot.cli import services
from bot.desk.staff import accounts
from bot.desk.staff.accounts import Profile
from bot.desk.staff.models import SECRET, StaffAccount
from bot.desk.staff.roles import Role
from bot.desk.staff.throttle import SEARCH
from bot.patients import finding
from bot.patients.models import ContactKind, ContactPoint, Person

PASSWORD = "eleven quiet lanterns"  # noqa: S105 - opens nothing
AGENTS = 8
QUEUES = (
    *("/desk", "/desk?view=unclaimed", "/desk?view=overdue", "/desk?view=mine", "/desk?priority=2", "/desk?team=privacy"),
    *("/desk?channel=whatsapp", "/desk?language=tl", "/desk?from=100", "/desk?from=4000"),
)
DAYS = (1, 7, 14, 30)
WARM_UP = 10
REASON = "a patient is on the telephone"


@dataclass
class Agent:
    """Somebody of the team with a browser."""

    client: httpx.Client
    login: str
    csrf: str = ""
    searches: int = 0


@dataclass
class Times:
    """Seconds that answers took, by what was asked."""

    taken: dict[str, list[float]] = field(default_factory=dict)

    def note(self, name: str, seconds: float) -> None:
        """One more."""
        self.taken.setdefault(name, []).append(seconds)

    def ms(self, percent: int, *names: str) -> float:
        """So many percent took no longer, in milliseconds."""
        together = sorted(one for name in names for one in self.taken.get(name, ()))
        return round(together[min(len(together) - 1, len(together) * percent // 100)] * 1000, 1) if together else 0.0


def run(home: Path, *, people: int, threads: int, live: int, pages: int, database_url: str) -> dict[str, Any]:
    """Make the crowd, open so many pages of each kind, one after the other; returns the figures."""
    at = Installation(home, database_url=database_url, limit_address_requests="1000000 per second")
    try:
        began = time.perf_counter()
        team = [_colleague(at, number) for number in range(AGENTS)]
        crowd = gather(at, people=people, threads=threads, live=live, staff=[staff_id for staff_id, _ in team])
        made_s = time.perf_counter() - began
        at.start("web")
        load_before = os.getloadavg()[0]
        times = _open_all(at, crowd, team, pages)
        held = resident_mb(at.process_id("web"))
    finally:
        at.close()
    return _figures(times, crowd) | {
        "database": "sqlite" if at.settings.database.startswith("sqlite") else "postgresql",
        "web_rss_mb": round(held, 1),
        "made_s": round(made_s, 1),
        "load_before": round(load_before, 1),
    }


def _figures(times: Times, crowd: Crowd) -> dict[str, Any]:
    searches = [name for name in times.taken if name.startswith("search")]
    kinds = {"queue": ["queue"], "case": ["case"], "search": searches, "wallboard": ["wallboard"]}
    found: dict[str, Any] = {f"{kind}_p95_ms": times.ms(95, *names) for kind, names in kinds.items()}
    found |= {f"{kind}_p50_ms": times.ms(50, *names) for kind, names in kinds.items()}
    found |= {"searches_p95_ms": {name.removeprefix("search "): times.ms(95, name) for name in searches}}
    found |= {"long_case_p50_ms": round(statistics.median(times.taken["long case"]) * 1000, 1)}
    sizes = {"people": crowd.people, "threads": crowd.threads, "live_cases": crowd.live, "cases": crowd.cases}
    return found | {"sizes": sizes | {"lines": crowd.lines, "pages": {name: len(taken) for name, taken in times.taken.items()}}}


def _colleague(at: Installation, number: int) -> tuple[int, str]:
    """Somebody who has taken up their invitation; returns their number and their sign-in name."""
    now, login = system_clock(), f"agent{number}@clinic.example"
    with at.database.writing() as session:
        profile = Profile(f"Agent {number}", login)
        roles = (Role.AGENT, Role.LEAD)
        made = accounts.invite(session, at.vault, at.index, profile, roles, by=0, at=now)
        secret = accounts.offered(session, at.vault, made.token, now).secret
        code = pyotp.TOTP(secret).at(now - timedelta(seconds=30))  # a code works once, and the next one signs in
        if accounts.accept(session, at.vault, made.token, password=PASSWORD, code=code, at=now) is None:
            raise RuntimeError("the second factor was not taken")
        session.get_one(StaffAccount, made.account.id).on_duty = True
        return made.account.id, login


def _signed_in(at: Installation, staff_id: int, login: str) -> Agent:
    client = httpx.Client(base_url=services.web_address(at.settings), trust_env=False, timeout=120)
    agent = Agent(client, login)
    with at.database.reading() as session:
        secret = at.vault.open(session.get_one(StaffAccount, staff_id).sealed_totp or "", SECRET)
    form = {"csrf": _token(client, "/desk/sign-in"), "login": login, "password": PASSWORD}
    client.post("/desk/sign-in", data={**form, "code": pyotp.TOTP(secret).at(system_clock())}, follow_redirects=True)
    agent.csrf = _token(client, "/desk/me")
    return agent


def _token(client: httpx.Client, page: str) -> str:
    held = re.search(r'name="csrf" value="([^"]+)"', client.get(page).text)
    if held is None:
        raise RuntimeError(f"{page} has no form: nobody is signed in")
    return held[1]


def _open_all(at: Installation, crowd: Crowd, team: Sequence[tuple[int, str]], pages: int) -> Times:
    agents = [_signed_in(at, staff_id, login) for staff_id, login in team]
    chance, times = random.Random(3), Times()  # noqa: S311 - the same pages every time
    long = [number for number in range(1, crowd.live + 1) if number % 500 == 1]
    wanted: list[tuple[str, Callable[[Agent], httpx.Response]]] = []
    for place in range(pages):
        wanted.append(("queue", _get(QUEUES[place % len(QUEUES)])))
        wanted.append(("case", _get(f"/desk/cases/{chance.randint(1, crowd.live)}")))
        if place % 5 == 0:
            wanted.append(("wallboard", _get(f"/desk/wallboard?days={DAYS[place // 5 % len(DAYS)]}")))
            wanted.append(("long case", _get(f"/desk/cases/{chance.choice(long)}?all=1")))
    for by, value in _sought(at, crowd, min(pages, AGENTS * (SEARCH.most - 2) - WARM_UP)):
        wanted.append((f"search {by}", _find(by, value)))
    chance.shuffle(wanted)
    for place, (name, ask) in enumerate([*wanted[:WARM_UP], *wanted]):
        agent = agents[place % len(agents)]
        began = time.perf_counter()
        answer = ask(agent)
        took = time.perf_counter() - began
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(f"{name} was answered with {answer.status_code}")
        if place >= WARM_UP:
            times.note(name, took)
        if place and place % 200 == 0:
            sys.stderr.write(f"{place} pages of {len(wanted)}\n")
    for agent in agents:
        agent.client.close()
    return times


def _get(address: str) -> Callable[[Agent], httpx.Response]:
    return lambda agent: agent.client.get(address)


def _find(by: str, value: str) -> Callable[[Agent], httpx.Response]:
    form = {"by": by, "value": value, "reason": REASON}
    return lambda agent: agent.client.post("/desk/patients/find", data={"csrf": agent.csrf, **form})


def _sought(at: Installation, crowd: Crowd, number: int) -> list[tuple[str, str]]:
    """What is looked for: references, telephone numbers, addresses and names of persons here and there on file."""
    found: list[tuple[str, str]] = []
    with at.database.reading() as session:
        for place in range(number):
            by = ("reference", "phone", "email", "name")[place % 4]
            after = place * crowd.people // max(1, number)
            person = session.scalars(select(Person).where(Person.id > after).order_by(Person.id).limit(1)).one()
            if by == "reference":
                found.append((by, crowd.references[place % len(crowd.references)]))
            elif by == "name":
                found.append((by, finding.particulars(person, at.vault).name))
            else:
                kind = ContactKind.EMAIL if by == "email" else ContactKind.MOBILE
                of_kind = select(ContactPoint).where(ContactPoint.kind == kind.value, ContactPoint.person_id >= person.id)
                point = session.scalars(of_kind.order_by(ContactPoint.person_id).limit(1)).first()
                found += [(by, finding.address_of(point, at.vault))] if point else []
    return found
