"""The shapes of what concerns the whole desk: figures, booked calls, what nobody handled, programs and webhooks, patients."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field

from bot.desk.integrations.events import EVENTS
from bot.desk.integrations.models import DeliveryStatus, EndpointStatus
from bot.desk.sight.searching import By
from bot.desk.staff.roles import Scope
from bot.web.api.shapes.base import MOMENT, NUMBER, Answer, Request, Short, Whole


def _known(name: str) -> str:
    if name not in EVENTS:
        raise ValueError("there is no such event")
    return name


EventNames = list[Annotated[str, AfterValidator(_known), Field(json_schema_extra={"enum": list(EVENTS)})]]


class Me(Answer):
    """What a token is."""

    id: int = Field(description="The number of the account it acts as, as in the sealed log.", examples=[9])
    name: str = Field(description="The program's name.", examples=["Help desk bridge"])
    scopes: list[Scope] = Field(description="What it may do.")
    ends_at: datetime = Field(description="Until when it is good.", examples=[MOMENT])


class Member(Answer):
    """A colleague to whom a case can be handed."""

    id: int = Field(description="Their number.")
    name: str = Field(description="Their name.")
    on_duty: bool = Field(description="Whether they are on duty.")


class Series(Answer):
    """Counts by Hong Kong day, or by hour where one day alone was asked for."""

    steps: list[datetime | date] = Field(description="The days, or the beginnings of the hours.", examples=[["2026-05-09"]])
    rows: dict[str, list[int]] = Field(description="For each name as many numbers as steps; the rest under an empty name.")


class Figures(Answer):
    """The figures of the wallboard."""

    waiting: int = Field(description="Cases nobody has taken.")
    oldest_s: int = Field(description="Seconds that the patient has waited who waits longest.")
    overdue: int = Field(description="Live cases past a deadline.")
    on_duty: int = Field(description="People on duty.")
    surge: bool = Field(description="Whether surge is on.")
    containment: float | None = Field(description="The part of the threads for which no person was needed.")
    fallbacks: float | None = Field(description="The part of the assistant's replies that say it did not understand.")
    first_kept: float | None = Field(description="The part of first answers that came in time.")
    topics: Series = Field(description="What patients asked, by day.")
    languages: Series = Field(description="In which language, by day.")
    failures: dict[str, tuple[int, int]] = Field(description="By channel, how many parts failed, and of how many.")
    reasons: dict[str, int] = Field(description="Why a person was needed.")
    outcomes: dict[str, int] = Field(description="What became of cases that were closed.")
    channels: dict[str, int] = Field(description="Threads with a turn.")


class BookedCall(Answer):
    """A call that was promised."""

    case: str = Field(description="The case.", examples=[NUMBER])
    slot: datetime = Field(description="It comes within an hour from then.", examples=[MOMENT])
    claimed_by: int | None = Field(description="Who has the case.")


class Missed(Answer):
    """Something a patient sent that nobody handled."""

    turn: int | None = Field(description="The turn, which can be put into a case; none for what could not be read.")
    why: str = Field(description="How it was missed.", examples=["not_queued"])
    at: datetime = Field(description="Since when.", examples=[MOMENT])


class Search(Request):
    """Looks for somebody on file."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"by": "phone", "value": "9123 4567", "reason": "Caller asks for her notice again."}]}
    )
    by: By = Field(description="What is known.")
    value: Short = Field(description="It.")
    reason: Short = Field(description="Why, in 8 to 300 characters; it stays in the sealed log and should hold no name.")


class OpenPerson(Request):
    """Opens somebody's particulars."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"person": 1201, "reason": "Calls back about case 4812-0736-5."}]})
    person: Whole = Field(description="Their number.")
    reason: Short = Field(description="Why, in 8 to 300 characters; it stays in the sealed log and should hold no name.")


class ContactView(Answer):
    """A way to reach somebody."""

    id: int = Field(description="Its number.")
    kind: str = Field(description="`phone`, `email` or `post`.")
    value: str = Field(description="By its ends in a search, in full once the person was opened with a reason.")
    is_safe: bool = Field(description="Whether the person asked to be reached by safe contacts alone, and this is one.")


class PersonView(Answer):
    """Somebody on file."""

    person: int = Field(description="Their number.", examples=[1201])
    name: str = Field(description="First letters in a search, in full once opened with a reason.")
    name_zh: str = Field(description="The same in Chinese.")
    language: str | None = Field(description="Their language.")
    flags: list[str] = Field(description="`held`, `protected`, `deceased`, `minor`.")
    contacts: list[ContactView] = Field(description="How they may be reached.")
    cases: list[str] = Field(description="The numbers of their cases, once opened.")


class Found(Answer):
    """Whom a search found."""

    persons: list[PersonView] = Field(description="At most as many as the console shows.")


class NewWebhook(Request):
    """Where events are to be posted."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Help desk", "url": "https://desk.example.hk/hooks/candour", "events": ["case.opened"]}]
        }
    )
    name: str = Field(min_length=3, max_length=80, description="What it is called.")
    url: str = Field(max_length=1000, description="An https address; kept sealed.")
    events: EventNames = Field(default_factory=list, max_length=40, description="Types of events; empty means all.")


class ChangedWebhook(Request):
    """What is to be changed; what is left out stays."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"events": ["case.opened", "case.patient_wrote"]}]})
    name: str | None = Field(None, min_length=3, max_length=80, description="What it is called.")
    url: str | None = Field(None, max_length=1000, description="An https address.")
    events: EventNames | None = Field(None, max_length=40, description="Types of events; empty means all.")
    is_on: bool | None = Field(None, description="Whether events are posted.")


class WebhookView(Answer):
    """An endpoint."""

    id: int = Field(description="Its number.")
    name: str = Field(description="What it is called.")
    url: str = Field(description="Where events are posted.")
    events: list[str] = Field(description="Types of events; empty means all.")
    status: EndpointStatus = Field(description="`resting`: it failed for a day and waits for somebody to switch it on.")
    failing_since: datetime | None = Field(description="Since when it takes nothing.")
    problem: str = Field(description="What was wrong at the last try.")
    well_at: datetime | None = Field(description="When it last took something.")
    waiting: int = Field(description="Posts that wait.")
    failed: int = Field(description="Posts that were given up.")


class WebhookWithSecret(WebhookView):
    """An endpoint with its secret, which is shown this once."""

    secret: str = Field(description="`whsec_…`: what signatures are checked with.")


class PostView(Answer):
    """An event on its way to an endpoint."""

    id: int = Field(description="Its number.")
    event: str = Field(description="The `webhook-id`: the same at every try.", examples=["msg_2f1f0e5c7a5b4c539d6a2f6f0e1a9b77"])
    type: str = Field(description="The type of event.", examples=["case.opened"])
    status: DeliveryStatus = Field(description="Where it is.")
    attempts: int = Field(description="Tries so far.")
    answered: int | None = Field(description="The other side's status at the last try.")
    problem: str = Field(description="What was wrong at the last try.")
    at: datetime = Field(description="When it happened.", examples=[MOMENT])
    next_at: datetime | None = Field(description="When it is tried again.")


class PostPage(Answer):
    """Posts to an endpoint, the newest first."""

    deliveries: list[PostView] = Field(description="The posts.")
    next: str | None = Field(description="The cursor of the next page; none on the last one.")


class Tried(Answer):
    """A test event that was laid down."""

    event: str = Field(description="Its `webhook-id`.", examples=["msg_2f1f0e5c7a5b4c539d6a2f6f0e1a9b77"])
