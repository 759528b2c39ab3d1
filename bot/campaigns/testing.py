"""Test sends: a campaign's texts to addresses of our own that are on a list; nobody else can be reached with them."""

from __future__ import annotations

import secrets

from bot.base.errors import BadInput, ChannelError
from bot.base.languages import Language
from bot.campaigns import life
from bot.campaigns.dryrun import EXAMPLE, SAMPLE_REFERENCE
from bot.campaigns.models import Campaign, Variant
from bot.campaigns.office import Office
from bot.campaigns.sending.calling import call
from bot.campaigns.sending.claiming import Taken
from bot.channels.base import Sent
from bot.patients.models import Category, Way


def send(
    office: Office,
    campaign: Campaign,
    *,
    to: str,
    channel: Way,
    language: Language,
    categories: tuple[Category, ...],
    by: str,
    variant: Variant = Variant.STANDARD,
) -> str:
    """Send one text with an invented name to an address of the list; returns the provider's id. Raises BadInput, ChannelError."""
    if to.strip() not in office.allowed:
        raise BadInput("Tests go only to addresses in CANDOUR_CAMPAIGN_TEST_ADDRESSES.")
    if channel not in (Way.EMAIL, Way.SMS, Way.WHATSAPP):
        raise BadInput("Tests go by email, sms or whatsapp.")
    text = office.texts.render(campaign.notice, campaign.version, channel, language, variant, categories)
    values = office.texts.values(EXAMPLE, language, SAMPLE_REFERENCE)
    reference = f"test.{secrets.token_urlsafe(12)}"
    [(_, result)] = call(office, [Taken(0, 0, 0, campaign.id, channel, reference, 1, to.strip(), text, values)])
    with office.database.writing() as session:
        took = "taken" if isinstance(result, Sent) else "refused"
        life.log(
            session, office.vault, campaign, "tested", by, office.clock(), channel=channel.value, text=text.digest, outcome=took
        )
    if isinstance(result, ChannelError):
        raise result
    return result.provider_id
