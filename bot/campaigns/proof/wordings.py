"""The texts that were sent, byte by byte: the file of each has the SHA-256 that the log names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from sqlalchemy import select

from bot.base.languages import Language
from bot.base.text.spreadsheet import line
from bot.campaigns.models import CATEGORIES, Campaign, KeptTemplate, Segment, Variant
from bot.campaigns.office import Office
from bot.campaigns.proof.tables import Agreement
from bot.conversations.speaking.publication import Publication
from bot.patients.models import Category, Way

INDEX = ("text_sha256", "channel", "language", "form", "kinds_of_data", "people", "made_again_equal")


@dataclass
class Written:
    """Files by their name, and how many texts could not be made again as they were."""

    files: dict[str, bytes] = field(default_factory=dict)
    unequal: int = 0


def texts_of(office: Office, campaign: Campaign, seen: Agreement) -> Written:
    """Every text a notice of the campaign carried, and the templates and facts it was made of."""
    written = Written()
    index = [line(INDEX)]
    for (segment_id, channel, digest), people in sorted(seen.texts.items()):
        index.append(_one(office, campaign, written, segment_id, Way(channel), digest, people))
    written.files["texts/index.csv"] = "".join(index).encode()
    written.files.update(_sources(office, campaign))
    return written


def _one(office: Office, campaign: Campaign, written: Written, segment_id: int, channel: Way, digest: str, people: int) -> str:
    with office.database.reading() as session:
        segment = session.get_one(Segment, segment_id)
    held = tuple(Category(word) for word in office.vault.open(segment.sealed_categories, CATEGORIES).split(",") if word)
    form, language = Variant(segment.variant), Language(segment.language)
    text = office.texts.render(campaign.notice, campaign.version, channel, language, form, held)
    equal = text.digest == digest
    written.unequal += not equal
    if equal:
        written.files[f"texts/{digest}.json"] = text.canonical
        parts = {"subject.txt": text.subject, "html": text.html, "txt": text.plain}
        written.files |= {f"texts/{digest}.{ending}": said.encode() for ending, said in parts.items() if said}
    cells = (digest, channel.value, segment.language, segment.variant, " ".join(held), people, "yes" if equal else "no")
    return line(cells)


def _sources(office: Office, campaign: Campaign) -> Iterator[tuple[str, bytes]]:
    """The templates as they were kept when the version was submitted, and the publication whose facts they tell."""
    publication = campaign.version.partition(".")[2]
    with office.database.reading() as session:
        kept = session.scalars(
            select(KeptTemplate).where(KeptTemplate.version == campaign.version).order_by(KeptTemplate.name)
        ).all()
        facts = session.get(Publication, int(publication)) if publication.isdecimal() else None
    yield from ((f"texts/template-{one.name}.json", one.canonical.encode()) for one in kept)
    if facts is not None:
        yield f"texts/publication-{facts.id}.json", facts.content.encode()
