"""The texts of notices out of the templates and one publication: what campaigns send when they are not tests.

The version of a campaign names both: `2.17` is the second notice, with the facts of publication 17. What is published later
changes nothing in a campaign that runs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.base.clock import in_hong_kong
from bot.base.database import Database
from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.campaigns.content import segment, template
from bot.campaigns.content.letter import Sheet
from bot.campaigns.content.writing import Edition
from bot.campaigns.models import Campaign, CampaignStatus, KeptTemplate, Variant
from bot.campaigns.texts import Values
from bot.channels import windows
from bot.conversations.speaking.publication import Library, Publication
from bot.patients.finding import Particulars
from bot.patients.models import Category, Way

FORMS = {Variant.GUARDIAN: "guardian", Variant.NEUTRAL: "safe_contact"}
"""The templates of the forms that are not the notice's own."""
_VERSION = re.compile(r"([1-9]\d{0,3})\.([1-9]\d{0,9})")


@dataclass(frozen=True, repr=False)
class ApprovedText:
    """A rendered segment, as sending reads it."""

    shared: segment.Shared
    content_id: str = ""
    form: template.Template | None = None

    @property
    def digest(self) -> str:
        """SHA-256 over all of it, places unfilled."""
        return self.shared.digest

    @property
    def canonical(self) -> bytes:
        """What `digest` is the SHA-256 of."""
        return self.shared.canonical.encode("utf-8", "surrogatepass")

    @property
    def subject(self) -> str:
        """Of an e-mail."""
        return self.shared.subject

    @property
    def html(self) -> str:
        """Of an e-mail."""
        return self.shared.html

    @property
    def plain(self) -> str:
        """Of an e-mail beside the HTML; else what is sent."""
        return self.shared.text

    def substitutions(self, values: Values) -> Mapping[str, str]:
        """One person's values by token; raises BadInput for one that is missing."""
        return segment.personal(self.shared, values).substitutions

    def filled(self, values: Values) -> str:
        """The text as one person reads it; raises BadInput for a value that is missing."""
        return segment.filled(self.shared, values).text

    def variables(self, values: Values) -> Mapping[str, str]:
        """What an approved WhatsApp text is given, by number."""
        return segment.filled(self.shared, values).variables

    def sheet(self, values: Values, address: Sequence[str], number: str) -> Sheet:
        """A letter to one person, to be set; raises BadInput when this is no letter."""
        if self.form is None or self.shared.way is not Way.LETTER:
            raise BadInput(f"The notice {self.shared.template} was not rendered as a letter.")
        return Sheet(self.form, self.shared, values, address, number)


@dataclass
class ApprovedTexts:
    """The notices of a folder of templates, with facts out of the database's publications."""

    database: Database
    library: Library
    folder: Path = template.FOLDER
    content_ids: Mapping[str, str] = field(default_factory=dict)
    """Approved WhatsApp texts: `notice.language` to the provider's id."""
    _facts: dict[int, tuple[str, Mapping[str, Any], Edition]] = field(default_factory=dict)

    def digest(self, notice: str, version: str) -> str:
        """Over the templates and facts that this notice is made of; raises BadInput when there is no such notice or version."""
        _, publication = _read(version)
        names = [notice, *FORMS.values()]
        parts = [version, self._published(publication)[0], *(self._template(name, version).digest for name in names)]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()

    def keep(self, session: Session, notice: str, version: str) -> None:
        """Hold on to the templates as they are in the files; what a submitted campaign says under this version stays."""
        others = (
            Campaign.version == version,
            Campaign.status.not_in((CampaignStatus.DRAFT.value, CampaignStatus.CANCELLED.value)),
        )
        if session.scalar(select(Campaign.id).where(*others).limit(1)) is not None:
            return
        session.execute(delete(KeptTemplate).where(KeptTemplate.version == version))
        for name in {notice, *FORMS.values()}:
            session.add(KeptTemplate(version=version, name=name, canonical=template.read(name, self.folder).canonical()))

    def render(
        self, notice: str, version: str, channel: Way, language: Language, variant: Variant, categories: tuple[Category, ...]
    ) -> ApprovedText:
        """The text for a segment; raises BadInput or NotPublished naming what is missing."""
        number, publication = _read(version)
        name = FORMS.get(variant, notice)
        _, content, edition = self._published(publication)
        edition = Edition(number, edition.day)
        form = self._template(name, version)
        own = variant.value if variant is Variant.SHARED and variant.value in form.variants else template.STANDARD
        shared = segment.render_segment(form, content, language, channel, edition=edition, held=categories, variant=own)
        ids = {key.partition(".")[2]: one for key, one in self.content_ids.items() if key.partition(".")[0] == name}
        return ApprovedText(shared, windows.template_for(shared.language.value, ids) or "", form)

    def form(self, notice: str, version: str, variant: Variant) -> template.Template:
        """The template behind a form of a notice, as this version keeps it."""
        return self._template(FORMS.get(variant, notice), version)

    def values(self, who: Particulars, language: Language, reference: str) -> Values:
        """What is personal about somebody; Chinese readers see the Chinese name where there is one."""
        chinese = language in (Language.ZH_HANT, Language.ZH_HANS)
        name = (who.name_zh or who.name) if chinese else (who.name or who.name_zh)
        return {"name": name, "ward": name, "reference": reference}

    def _template(self, name: str, version: str) -> template.Template:
        with self.database.reading() as session:
            kept = session.get(KeptTemplate, (version, name))
        return template.from_canonical(kept.canonical) if kept else template.read(name, self.folder)

    def _published(self, publication: int) -> tuple[str, Mapping[str, Any], Edition]:
        if publication not in self._facts:
            with self.database.reading() as session:
                row = session.get(Publication, publication)
                if row is None or row.effective_at is None:
                    raise BadInput(f"There is no approved publication {publication}.")
                content = self.library.get(session, publication).content
                self._facts[publication] = (row.digest, content, Edition(1, in_hong_kong(row.effective_at).date()))
        return self._facts[publication]


def _read(version: str) -> tuple[int, int]:
    match = _VERSION.fullmatch(version)
    if match is None:
        raise BadInput("A version is the notice's number and a publication's, such as 1.12.")
    return int(match[1]), int(match[2])
