"""The shapes of the web chat's requests and answers, as its OpenAPI description shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from bot.base.languages import Language

TEXT_LIMIT = 200_000
"""Characters of one turn that are accepted; what is looked at more closely is decided by the guard."""


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("a NUL character cannot be stored")
    return text


Text = Annotated[str, StringConstraints(min_length=1, max_length=TEXT_LIMIT), AfterValidator(_storable)]
ChoiceId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,40}$")]


class _Request(BaseModel):
    # hide_input: a refused text must not stand in an exception that ends up in a log.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class NewSession(_Request):
    """Opens a thread for this browser, or finds the one it has."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lang": "zh-Hant"}]})
    lang: Language | None = Field(None, description="The language of the page; without it `Accept-Language` decides.")
    apart: bool = Field(
        False, description="The page is a frame in another site's page, whose browser keeps our cookie for that site alone."
    )


class NewTurn(_Request):
    """What the patient sends: words, or the id of a button that a reply offered; exactly one of them."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"client_id": "6f1c1e0e-5f0e-4c58-9a53-0f3b6b6f7f0a", "text": "What happened?"}]}
    )
    client_id: UUID = Field(description="Made by the client, once per turn: the same id again is the same turn.")
    text: Text | None = None
    choice: ChoiceId | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> NewTurn:
        if (self.text is None) == (self.choice is None):
            raise ValueError("give either a text or a choice")
        return self


class NewLanguage(_Request):
    """The language in which the patient wants to be answered from now on."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"lang": "zh-Hans"}]})
    lang: Language


class Choice(BaseModel):
    """A button: its id is what a turn sends back, its label is what it says."""

    id: str
    label: str


class LanguageName(BaseModel):
    """A language and what it calls itself."""

    id: Language
    name: str


class Statement(BaseModel):
    """An approved text and the publication it comes from."""

    publication: int
    text: str


class SessionAnswer(BaseModel):
    """The patient's thread as it is now, and what is to be read before the first turn."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "language": "en",
                    "owner": "bot",
                    "last_number": 0,
                    "collection_statement": {"publication": 1, "text": "Who collects what, and why …"},
                    "greeting": "Hello …",
                    "languages": [{"id": "en", "name": "English"}],
                    "topics": [{"id": "topic.what_happened", "label": "What happened?"}],
                }
            ]
        }
    )
    language: Language
    owner: str = Field(description="Who answers the next turn: `bot`, `verifying` or `staff`.")
    last_number: int = Field(description="The number of the newest line; 0 before the first turn.")
    collection_statement: Statement
    greeting: str
    languages: list[LanguageName]
    topics: list[Choice] = Field(description="Suggested first questions.")


class TurnTaken(BaseModel):
    """The turn is stored; its answer comes over the event stream."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"number": 1, "client_id": "6f1c1e0e-5f0e-4c58-9a53-0f3b6b6f7f0a", "repeat": False}]}
    )
    number: int = Field(description="Its place in the thread.")
    client_id: UUID
    repeat: bool = Field(description="True when this client id was stored before; nothing was stored again.")


class LanguageTaken(BaseModel):
    """The language is kept with the thread."""

    language: Language


class TurnEvent(BaseModel):
    """Event `turn`: a line of the patient, from this or another tab."""

    number: int
    text: str
    at: datetime
    client_id: str | None


class ReplyEvent(BaseModel):
    """Event `reply`: a line of the assistant (`bot`) or of a person (`staff`)."""

    number: int
    text: str
    at: datetime
    author: str
    language: str | None
    choices: list[Choice]


class OwnerEvent(BaseModel):
    """Event `owner`: who answers from now on; it has no number and is sent again after a reconnect."""

    owner: str


class Refusal(BaseModel):
    """Why something was refused."""

    code: str = Field(description="For programs.")
    text: str = Field(description="For the patient, in the patient's language.")


class Refused(BaseModel):
    """The body of every answer that is not a success."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"error": {"code": "too_many", "text": "Please wait a little, then try again."}}]}
    )
    error: Refusal


class Alive(BaseModel):
    """The process runs."""

    status: Literal["alive"] = "alive"


class Part(BaseModel):
    """One thing that is needed, and whether it is there."""

    ok: bool
    detail: str = ""


class Readiness(BaseModel):
    """Whether patients can be served, and by which parts it is decided."""

    ready: bool = Field(description="The database answers and something is published; a silent engine leaves the apology path.")
    database: Part
    publication: Part
    engine: Part
    queue: Part = Field(description="Whether stored turns are being answered.")
