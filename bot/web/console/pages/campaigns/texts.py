"""The texts of a campaign as each reader gets them: language, way, form, kinds of data; and the letter as it is printed."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response
from fastapi.responses import HTMLResponse

from bot.base.languages import Language
from bot.campaigns import figures
from bot.campaigns.content import template
from bot.campaigns.models import Campaign, Variant
from bot.campaigns.planning import reading
from bot.patients.models import Category, Way
from bot.web.console.door import Staff
from bot.web.console.pages.campaigns.place import Reader, office, router
from bot.web.console.pages.campaigns.saying import in_words
from bot.web.console.rendering import page
from bot.web.shield import MAIL

Chosen = tuple[Way, Language, Variant, tuple[Category, ...]]
Text = Annotated[str, Query(max_length=20)]
Kinds = Annotated[list[str] | None, Query(max_length=20)]


@router.get("/campaigns/{campaign_id}/texts", response_class=HTMLResponse)
def texts(
    staff: Reader,
    campaign_id: int,
    way: Text = "email",
    language: Text = "en",
    variant: Text = "standard",
    category: Kinds = None,
) -> Response:
    """One text as one reader gets it, and every other a click away."""
    chosen = _chosen(way, language, variant, category)
    with staff.database.reading() as session:
        campaign = figures.numbered(session, campaign_id)
    office_now = office(staff)
    read = reading.reading(office_now, campaign, *chosen)
    return page(
        staff,
        "console/campaign_texts.html",
        campaign=campaign,
        read=read,
        wrong=in_words(staff, read.wrong),
        way=chosen[0],
        tongue=chosen[1],
        variant=chosen[2],
        held=chosen[3],
        ways=reading.READ,
        tongues=template.LANGUAGES,
        variants=list(Variant),
        categories=list(Category),
        allowed=sorted(office_now.allowed),
        mail=MAIL,
    )


@router.get("/campaign-mail", response_class=HTMLResponse)
def mail(
    staff: Reader,
    campaign: Annotated[int, Query()],
    language: Text = "en",
    variant: Text = "standard",
    category: Kinds = None,
) -> Response:
    """The e-mail itself, in a frame without scripts, forms or anything from elsewhere."""
    _, tongue, form, held = _chosen("email", language, variant, category)
    return HTMLResponse(reading.reading(office(staff), _campaign(staff, campaign), Way.EMAIL, tongue, form, held).html)


@router.get("/campaigns/{campaign_id}/letter.pdf")
def letter(
    staff: Reader, campaign_id: int, language: Text = "en", variant: Text = "standard", category: Kinds = None
) -> Response:
    """The letter as it is printed, to an invented address."""
    _, tongue, form, held = _chosen("letter", language, variant, category)
    made = reading.letter_pdf(office(staff), _campaign(staff, campaign_id), tongue, form, held)
    return Response(made, media_type="application/pdf", headers={"Content-Disposition": 'inline; filename="letter.pdf"'})


def _campaign(staff: Staff, campaign_id: int) -> Campaign:
    with staff.database.reading() as session:
        return figures.numbered(session, campaign_id)


def _chosen(way: str, language: str, variant: str, category: list[str] | None) -> Chosen:
    """What is asked for; the first of each where it is none."""
    held = list(Category) if category is None else [one for one in Category if one.value in category]
    return (
        next((one for one in reading.READ if one.value == way), Way.EMAIL),
        next((one for one in template.LANGUAGES if one.value == language), Language.EN),
        next((one for one in Variant if one.value == variant), Variant.STANDARD),
        tuple(held),
    )
