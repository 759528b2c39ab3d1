"""The shapes of cases: the queue, one case, its transcript, what is done with it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from bot.desk.hours.deadlines import ClockKind, ClockState
from bot.desk.models import CaseStatus, Outcome
from bot.web.api.shapes.base import MOMENT, NUMBER, Answer, Moment, Name, Request, Short, Whole

Team = Literal["care", "incident", "privacy", "press", "desk"]
Channel = Literal["web", "whatsapp", "sms", "email"]


class Colleague(Answer):
    """Somebody of the team, or a program."""

    id: int = Field(description="Their number, as in the sealed log.", examples=[3])
    name: str = Field(description="What colleagues call them.", examples=["Chan Siu Ming"])


class Clock(Answer):
    """A deadline that runs."""

    kind: ClockKind = Field(description="What is due: first or next answer, the end of the matter, what the law sets.")
    due_at: datetime = Field(description="When.", examples=[MOMENT])
    state: ClockState = Field(description="`warning` from three quarters of the time on, `breached` when it is over.")


class CaseView(Answer):
    """A case: no word and no name of a patient."""

    number: str = Field(description="The number under which the patient knows it.", examples=[NUMBER])
    version: int = Field(description="Grows with every change; the `ETag`.", examples=[4])
    status: CaseStatus = Field(description="Where it is.")
    reason: str = Field(description="The most urgent of its reasons.", examples=["data_access_request"])
    reasons: list[str] = Field(description="All reasons since it was opened; in a list of cases only the first.")
    priority: int = Field(ge=0, le=3, description="0 is an emergency, 3 can wait.", examples=[2])
    team: str = Field(description="Who looks after it.", examples=["privacy"])
    channel: str = Field(description="By what the patient writes.", examples=["whatsapp"])
    language: str = Field(description="The patient's language.", examples=["zh-Hant"])
    owner: str = Field(description="Who answers the patient: `bot`, `verifying` or `staff`.", examples=["staff"])
    is_proven: bool = Field(description="Whether it was shown who the patient is, by a code or a call to a contact on file.")
    opened_at: datetime = Field(description="When it was opened.", examples=[MOMENT])
    reopened_at: datetime | None = Field(description="When it was last opened again.")
    waiting_since: datetime | None = Field(description="The first turn nobody has answered; none when none is owed.")
    clocks: list[Clock] = Field(description="The deadlines that run, the nearest first.")
    claimed_by: Colleague | None = Field(description="Who has it.")
    is_mine: bool = Field(description="Whether this program has it.")
    meant_for: Colleague | None = Field(description="To whom it was handed and who has not taken it yet.")
    snoozed_until: datetime | None = Field(description="Until when it is put off.")
    resolved_at: datetime | None = Field(description="When it was closed.")
    outcome: Outcome | None = Field(description="What became of it.")
    merged_into: str | None = Field(description="The number of the case it goes on in.")
    link: str = Field(description="Its page in the console.", examples=["https://help.example.hk/desk/cases/12"])


class CasePage(Answer):
    """A part of the queue, in the order in which cases are to be taken."""

    cases: list[CaseView] = Field(description="The most urgent first, then whose patient has waited longest.")
    next: str | None = Field(description="The cursor of the next page; none on the last one.")


class Counts(Answer):
    """The queue in numbers."""

    unclaimed: int = Field(description="Cases nobody has taken.", examples=[7])
    held: int = Field(description="Cases somebody has.", examples=[12])
    breached: int = Field(description="Live cases past a deadline.", examples=[0])
    by_priority: dict[int, int] = Field(description="Live cases by priority.", examples=[{"0": 1, "2": 18}])
    by_team: dict[str, int] = Field(description="Live cases by team.", examples=[{"privacy": 9}])
    waiting_since: datetime | None = Field(description="Of the patient who has waited longest.")


class Delivery(Answer):
    """What became of a reply on its way to the patient."""

    status: str = Field(examples=["delivered"], description="Where the part is.")
    reason: str = Field(description="Why it did not arrive; empty when it did.")


class LineView(Answer):
    """One line of a transcript, with identity, card and telephone numbers and addresses hidden."""

    thread: int = Field(description="The patient's line on a channel; a merged case has several.", examples=[31])
    number: int = Field(description="Its number on the thread.", examples=[5])
    author: str = Field(description="`patient`, `bot` or `staff`.", examples=["patient"])
    text: str = Field(description="The words, masked.", examples=["My card is [identity number]."])
    hides: bool = Field(description="Whether something is hidden: `reveal` shows it, for a reason.")
    language: str | None = Field(description="Its language.")
    at: datetime = Field(description="When.", examples=[MOMENT])
    topic: str | None = Field(description="What the assistant took it to be about.")
    attached: str | None = Field(description="The kind of an attachment, which is not kept.")
    staff: int | None = Field(description="Who wrote it.")
    texts: list[str] = Field(description="The approved texts it is made of.")
    publication: int | None = Field(description="The approved version these were said from.")
    deliveries: list[Delivery] = Field(description="What became of its parts.")


class ThreadView(Answer):
    """A patient's line on a channel."""

    id: int = Field(description="Its number.", examples=[31])
    channel: str = Field(description="The channel.", examples=["whatsapp"])
    language: str = Field(description="Its language.", examples=["en"])
    owner: str = Field(description="Who answers on it.", examples=["staff"])
    last_turn: int = Field(description="The number of the patient's last turn: the least `seen_number` of a reply.", examples=[5])
    has_stopped: bool = Field(description="Whether the patient wants no messages.")
    takes_own_words: bool = Field(description="Whether the channel takes free words now; outside it only approved texts.")
    window_until: datetime | None = Field(description="Until when it does, where there is a window.")


class Transcript(Answer):
    """What was said."""

    number: str = Field(description="The case.", examples=[NUMBER])
    threads: list[ThreadView] = Field(description="The patient's lines.")
    lines: list[LineView] = Field(description="The newest lines, in order.")
    is_whole: bool = Field(description="Whether nothing lies before the first line.")


class Reveal(Request):
    """Asks for one line as it was written."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"thread": 31, "number": 5, "reason": "The patient asks us to check the number."}]}
    )
    thread: Whole = Field(description="The line's thread.")
    number: Whole = Field(description="The line's number.")
    reason: Short = Field(description="Why it has to be read, in 8 to 300 characters; it stays in the sealed log.")


class Revealed(Answer):
    """A line as it was written."""

    text: str = Field(description="The words, with nothing hidden.")


class Because(Request):
    """Says why."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"why": "Colleague is off sick."}]})
    why: Short = Field(min_length=4, description="In a few words; it stays in the sealed log.")


class HandOn(Request):
    """To whom, or to which team, a case is handed."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"team": "privacy"}]})
    to: Whole | None = Field(None, description="A colleague's number.")
    team: Team | None = Field(None, description="A team.")


class PutOff(Request):
    """Until when a case is put off."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"until": MOMENT}]})
    until: Moment = Field(description="A later time, with its zone.")


class Close(Request):
    """What became of a case."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"outcome": "answered"}]})
    outcome: Outcome = Field(description="The outcome.")


class MergeInto(Request):
    """In which case this one goes on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"into": NUMBER}]})
    into: str = Field(max_length=20, description="The number of a case that is proven to be the same person's.")


class FurtherReason(Request):
    """A further reason that was seen in a case."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "correction_request"}]})
    reason: Name = Field(description="Its code.")


class PersonOnCase(Answer):
    """Somebody on file whom a case concerns; who they are is opened with a reason, at `/patients/open`."""

    person: int = Field(description="Their number.", examples=[1201])
    known: str = Field(description="How it is known: `verified`, `confirmed` or `mentioned`.", examples=["verified"])
    at: datetime = Field(description="Since when.", examples=[MOMENT])
    is_held: bool = Field(description="Whether the team alone tells about them.")
    has_stopped: bool = Field(description="Whether they want no notices.")
    ways: list[str] = Field(description="The kinds of contact by which they may be reached, best first.", examples=[["phone"]])
    notices: list[str] = Field(description="The notices they got, with their versions.", examples=[["first_notice 1"]])


class Present(Answer):
    """Who has a case open now."""

    staff: int = Field(description="Their number.")
    is_typing: bool = Field(description="Whether they type.")


class Here(Request):
    """Says that somebody behind the program has the case open; to be said again within half a minute."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"is_typing": True}]})
    is_typing: bool = Field(False, description="Whether they type.")
    has_left: bool = Field(False, description="Whether they closed it.")
