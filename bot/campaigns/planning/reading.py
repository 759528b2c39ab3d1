"""A notice as one reader gets it, before it is sent to anybody: with an invented name, in every language, way and form."""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.base.errors import BadInput, CandourError
from bot.base.languages import Language
from bot.campaigns.approved import ApprovedText, ApprovedTexts
from bot.campaigns.content import letter, segment
from bot.campaigns.dryrun import EXAMPLE, SAMPLE_REFERENCE
from bot.campaigns.models import Campaign, Variant
from bot.campaigns.office import Office
from bot.channels.segments import segments
from bot.patients.models import Category, Way

READ = (Way.EMAIL, Way.SMS, Way.WHATSAPP, Way.LETTER)
"""Ways by which there is something to read."""
ADDRESS = ("CHAN Tai Man", "Flat A, 12/F, Block 3", "Example Gardens, 1 Example Road", "Sha Tin, New Territories")


@dataclass(frozen=True)
class Reading:
    """What one reader gets."""

    subject: str = ""
    html: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    parts: int = 0  # SMS segments
    encoding: str = ""
    is_approved: bool = True  # WhatsApp: whether an approved text is configured
    digest: str = ""
    wrong: str = ""  # why it cannot be made


def reading(
    office: Office, campaign: Campaign, way: Way, language: Language, variant: Variant, categories: tuple[Category, ...]
) -> Reading:
    """A text as an invented person reads it; one that cannot be made says why."""
    try:
        text = office.texts.render(campaign.notice, campaign.version, way, language, variant, categories)
        values = office.texts.values(EXAMPLE, language, SAMPLE_REFERENCE)
        plain = text.filled(values)
        if way is Way.WHATSAPP:
            plain = segment.as_read(plain, dict(text.variables(values)))
        html = text.html
        for token, value in text.substitutions(values).items():
            html = html.replace(token, value)
    except CandourError as wrong:
        return Reading(wrong=str(wrong))
    counted = segments(plain) if way is Way.SMS else None
    return Reading(
        subject=text.subject,
        html=html,
        text=plain,
        parts=counted.count if counted else 0,
        encoding=counted.encoding if counted else "",
        is_approved=way is not Way.WHATSAPP or bool(text.content_id),
        digest=text.digest,
    )


def letter_pdf(
    office: Office, campaign: Campaign, language: Language, variant: Variant, categories: tuple[Category, ...]
) -> bytes:
    """The letter as it would be printed, to an invented address; raises BadInput, NotPublished, Misconfigured."""
    text = office.texts.render(campaign.notice, campaign.version, Way.LETTER, language, variant, categories)
    if not isinstance(office.texts, ApprovedTexts) or not isinstance(text, ApprovedText):
        raise BadInput("These texts are not printed.")
    form = office.texts.form(campaign.notice, campaign.version, variant)
    return letter.pdf(form, text.shared, office.texts.values(EXAMPLE, language, SAMPLE_REFERENCE), ADDRESS)
