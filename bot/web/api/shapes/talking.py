"""The shapes of replies and of what is kept with a case."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from bot.desk.records import CallResult
from bot.web.api.shapes.base import MOMENT, Answer, Moment, Name, Request, Whole, Words

Names = Annotated[list[Name], Field(max_length=8)]


class NewReply(Request):
    """A reply: approved texts, and a short part of one's own."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"texts": ["scam_message_check"], "words": "It was good to talk to you.", "seen_number": 5}]
        }
    )
    texts: Names = Field(default_factory=list, description="Names of approved texts, in the order in which they are said.")
    words: Words = Field("", description="Own words, 600 characters at most; checked on our side.")
    thread: Whole | None = Field(None, description="On which thread; the case's own without it.")
    seen_number: int = Field(ge=0, le=2**31 - 1, description="The number of the patient's last turn that its author has seen.")
    in_english: bool = Field(False, description="Let texts without a translation go out in English, which they then say.")


class Objection(Answer):
    """One thing that speaks against a reply."""

    flaw: str = Field(description="Its code.", examples=["private"])
    what: str = Field(description="A kind of detail, the words that were found, or the name of a text.", examples=["hkid"])
    words: str = Field(description="In a sentence.", examples=["It holds something private."])


class Preview(Answer):
    """A reply as the patient would read it."""

    text: str = Field(description="In their language, as their channel takes it.")
    objections: list[Objection] = Field(description="What speaks against sending it; empty when it may go.")
    segments: int | None = Field(description="Parts of an SMS.")


class ReplyView(Answer):
    """A reply on its way."""

    id: int = Field(description="Its number.", examples=[88])
    status: str = Field(description="`pending` while it can be taken back.", examples=["pending"])
    leaves_at: datetime = Field(description="Until when it can be taken back.", examples=[MOMENT])
    thread: int = Field(description="On which thread.", examples=[31])
    texts: list[str] = Field(description="Its approved texts.")
    words: str = Field(description="Its author's own words.")
    staff: int = Field(description="Its author.", examples=[3])


class TextView(Answer):
    """An approved text."""

    name: str = Field(description="Its name.", examples=["scam_message_check"])
    label: str = Field(description="What it is about.", examples=["Is this message from you?"])
    text: str = Field(description="As the patient would read it.")
    is_translated: bool = Field(description="Whether it exists in that language; else it is in English.")
    is_pinned: bool = Field(description="Whether it is the help of an emergency, which comes first.")


class TextPage(Answer):
    """Approved texts."""

    texts: list[TextView] = Field(description="By name, or the best first when looked for.")
    publication: int = Field(description="The approved version they are from.", examples=[3])
    next: str | None = Field(description="The cursor of the next page; none on the last one.")


class NewNote(Request):
    """A private note: nothing can make a reply of it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"text": "Prefers to be called in the morning."}]})
    text: Words = Field(min_length=1, description="What colleagues should know.")


class NoteView(Answer):
    """A private note."""

    id: int = Field(description="Its number.")
    staff: int = Field(description="Who wrote it.")
    text: str = Field(description="The words.")
    at: datetime = Field(description="When.", examples=[MOMENT])


class NewCall(Request):
    """A telephone call that was made or taken."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"result": "reached", "minutes": 7, "text": "Explained the letter."}]}
    )
    result: CallResult = Field(description="What came of it.")
    minutes: int = Field(0, ge=0, le=600, description="How long it lasted.")
    text: Words = Field("", description="A remark.")


class CallView(Answer):
    """An entry of the call log."""

    id: int = Field(description="Its number.")
    staff: int = Field(description="Who called.")
    result: CallResult = Field(description="What came of it.")
    minutes: int = Field(description="How long it lasted.")
    text: str = Field(description="A remark; empty without one.")
    at: datetime = Field(description="When.", examples=[MOMENT])


class NewReminder(Request):
    """When to be reminded."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"due_at": MOMENT}]})
    due_at: Moment = Field(description="A later time, with its zone.")


class ReminderView(Answer):
    """A reminder of this program's."""

    id: int = Field(description="Its number.")
    case: str = Field(description="The case.")
    why: str = Field(description="`asked`, `taken_over`, `returned` or `not_sent`.", examples=["asked"])
    due_at: datetime = Field(description="When.", examples=[MOMENT])


class NewDraft(Request):
    """What is written and not sent; an empty one drops it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"texts": [], "words": "Dear Ms …"}]})
    texts: Names = Field(default_factory=list, description="Names of approved texts.")
    words: Words = Field("", description="Own words.")


class DraftView(Answer):
    """What somebody has written on a case and not sent."""

    staff: int = Field(description="Whose it is.")
    texts: list[str] = Field(description="Names of approved texts.")
    words: str = Field(description="Own words.")
    saved_at: datetime = Field(description="When it was kept.", examples=[MOMENT])
