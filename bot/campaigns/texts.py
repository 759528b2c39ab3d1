"""What sending needs of the texts: rendered once for everybody who reads the same, with places for what is personal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy.orm import Session

from bot.base.languages import Language
from bot.campaigns.content.letter import Sheet
from bot.campaigns.models import Variant
from bot.patients.finding import Particulars
from bot.patients.models import Category, Way

Values = Mapping[str, str]
"""What is personal, by the name of its place."""


class Text(Protocol):
    """One text of one channel, the same for a whole segment; what is personal stands in it as tokens."""

    @property
    def digest(self) -> str:
        """SHA-256 over all of it, places unfilled: tells which text a notice carried without telling whose."""

    @property
    def canonical(self) -> bytes:
        """What `digest` is the SHA-256 of: given to whoever has to believe what was said."""

    @property
    def subject(self) -> str:
        """Of an e-mail."""

    @property
    def html(self) -> str:
        """Of an e-mail."""

    @property
    def plain(self) -> str:
        """Of an e-mail beside the HTML; else what is sent."""

    @property
    def content_id(self) -> str:
        """The provider's id of an approved WhatsApp text."""

    def substitutions(self, values: Values) -> Mapping[str, str]:
        """One person's values by token, escaped for where each stands; raises BadInput for one that is missing."""

    def filled(self, values: Values) -> str:
        """The plain text as one person reads it; raises BadInput for a value that is missing."""

    def variables(self, values: Values) -> Mapping[str, str]:
        """What an approved WhatsApp text is given, by number."""

    def sheet(self, values: Values, address: Sequence[str], number: str) -> Sheet:
        """A letter to one person, to be set; raises BadInput when this is no letter."""


class Texts(Protocol):
    """The approved texts of notices."""

    def digest(self, notice: str, version: str) -> str:
        """The digest of everything this notice may say; raises BadInput when there is no such notice."""

    def keep(self, session: Session, notice: str, version: str) -> None:
        """Hold on to the texts as they are now: from here on they are what this version says."""

    def render(
        self, notice: str, version: str, channel: Way, language: Language, variant: Variant, categories: tuple[Category, ...]
    ) -> Text:
        """The text for a segment; raises BadInput naming what is missing."""

    def values(self, who: Particulars, language: Language, reference: str) -> Values:
        """What is personal about somebody."""
