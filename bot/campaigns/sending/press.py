"""The texts of running campaigns, rendered once per segment and channel, and only as they were approved."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.campaigns.models import CATEGORIES, Campaign, Segment, Variant
from bot.campaigns.office import Office
from bot.campaigns.texts import Text
from bot.patients.models import Category, Way

CHANGED = "The text is no longer the one that was approved."


class Press:
    """Renders and remembers; one per process."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._texts: dict[tuple[int, Way], Text] = {}
        self._spoken: dict[int, Language] = {}

    def check(self, campaign: Campaign) -> None:
        """Raise BadInput when the texts are not those that were approved."""
        if self._office.texts.digest(campaign.notice, campaign.version) != (campaign.digests or {}).get("text"):
            raise BadInput(CHANGED)

    def text(self, session: Session, campaign: Campaign, segment_id: int, channel: Way) -> Text:
        """The text of a segment on a channel; raises BadInput when it cannot be rendered or was changed."""
        key = (segment_id, channel)
        if key not in self._texts:
            self.check(campaign)
            segment = session.get_one(Segment, segment_id)
            self._spoken[segment_id] = Language(segment.language)
            self._texts[key] = rendered(self._office, campaign, segment, channel)
        return self._texts[key]

    def language(self, segment_id: int) -> Language:
        """The language of a segment whose text was asked for."""
        return self._spoken[segment_id]


def rendered(office: Office, campaign: Campaign, segment: Segment, channel: Way) -> Text:
    """Render a segment's text for a channel; raises BadInput."""
    stored = office.vault.open(segment.sealed_categories, CATEGORIES)
    categories = tuple(Category(word) for word in stored.split(",") if word)
    return office.texts.render(
        campaign.notice, campaign.version, channel, Language(segment.language), Variant(segment.variant), categories
    )
