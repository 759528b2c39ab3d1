"""What all shapes share: what a request may hold, and words that can be stored."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

NUMBER = "4812-0736-5"
"""A case number as an example."""
MOMENT = "2026-05-09T01:00:00Z"
BIGGEST = 2**31 - 1
FIRST_YEAR, LAST_YEAR = 2000, 2200
"""What is far outside can be no time of ours, and at the calendar's ends another zone's time is none at all."""


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL character cannot be stored")
    return text


def _near(at: datetime) -> datetime:
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"a time is between the years {FIRST_YEAR} and {LAST_YEAR}")
    return at


class Request(BaseModel):
    """What a program sends: nothing besides what is described, and quoted in no error."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Answer(BaseModel):
    """What a program gets."""


class ProblemView(BaseModel):
    """A refusal, as RFC 9457 describes it; some kinds have more members."""

    model_config = ConfigDict(extra="allow")
    type: str = Field(description="Where this kind is explained.", examples=["/api/v1/problems/taken"])
    title: str = Field(description="The kind in words.", examples=["Somebody else has the case"])
    status: int = Field(description="The HTTP status.", examples=[409])
    detail: str = Field(description="What to do, or why the desk refused.", examples=["Of several who claim one gets it."])


class Done(Answer):
    """It is done."""

    done: bool = Field(description="Whether something changed; false when it was so already.", examples=[True])


Number = Annotated[str, Path(max_length=20, description="The case's number.", examples=[NUMBER])]
Id = Annotated[int, Path(ge=1, le=BIGGEST)]
Limit = Annotated[int, Query(ge=1, le=200, description="Rows of a page.")]
Cursor = Annotated[str | None, Query(max_length=200, description="`next` of the page before; none for the first page.")]
Words = Annotated[str, StringConstraints(max_length=4000), AfterValidator(_storable)]
Short = Annotated[str, StringConstraints(max_length=300), AfterValidator(_storable)]
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]{1,80}$")]
Whole = Annotated[int, Field(ge=1, le=BIGGEST)]
Moment = Annotated[AwareDatetime, AfterValidator(_near)]
