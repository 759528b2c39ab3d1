"""Writing a campaign: new, about new facts, another plan; its dry run, its test sends, and handing it in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.campaigns import figures, life, testing
from bot.campaigns.content import template
from bot.campaigns.models import Campaign, Variant
from bot.campaigns.plan import Plan, Release, plan_of
from bot.campaigns.planning import errands, versions
from bot.campaigns.planning.errands import ErrandKind
from bot.patients.models import Category, Way
from bot.patients.roster.imports import clinics_on_file
from bot.web.console.answers import go_to
from bot.web.console.door import Staff, whole
from bot.web.console.notices import not_done, said
from bot.web.console.pages.campaigns.place import HOME, Runner, office, place_of, router
from bot.web.console.pages.campaigns.planning import RUNGS, fields_of, fields_sent, plan_from
from bot.web.console.pages.campaigns.saying import in_words
from bot.web.console.rendering import page

NOTICES = ("first_notice", versions.SUPPLEMENT, versions.RETRACTION, "could_not_reach_you")
"""What is sent to many people."""


@router.get("/campaigns/new", response_class=HTMLResponse)
def new(
    staff: Runner,
    notice: Annotated[str, Query()] = NOTICES[0],
    holds: Annotated[str, Query(max_length=90)] = "",
    publication: Annotated[str, Query(max_length=15)] = "",
) -> Response:
    """The form of a new campaign; from a publication's page it is filled for those who hold an earlier version."""
    if notice not in NOTICES:
        raise BadInput("There is no such notice.")
    with staff.database.reading() as session:
        number = versions.next_number(session)
        fields = {**fields_of(Plan()), "notice": notice, "number": str(number), "publication": publication, "holds": holds}
        fields["name"] = versions.free_name(session, staff.t(f"campaigns.named_{notice}", n=number))
        return _form(staff, session, fields)


@router.post("/campaigns/new")
def create(staff: Runner) -> Response:
    """Draft it, with the facts in force or those of the publication it is about."""
    sent = staff.sent
    try:
        plan = plan_from(sent, Plan())
        notice, number = sent.get("notice"), sent.number("number")
        if notice not in NOTICES:
            raise BadInput("There is no such notice.")
        if not sent.get("name"):
            raise BadInput("A campaign needs a name.")
        with staff.database.reading() as session:
            about = sent.get("publication")
            publication = whole(about) if about else staff.door.published(session).id
        version = f"{number}.{publication}"
        office(staff).texts.digest(notice, version)
        with staff.database.writing() as session:
            given: dict[str, Any] = {"name": sent.get("name", 80), "notice": notice, "version": version}
            made = life.new(session, staff.vault, **given, plan=plan, by=staff.actor, at=staff.now)
    except BadInput as wrong:
        return _again(staff, wrong)
    return go_to(staff, place_of(made), said("campaigns.drafted"))


@router.get("/campaigns/{campaign_id}/plan", response_class=HTMLResponse)
def plan_form(staff: Runner, campaign_id: int) -> Response:
    """The plan, to be changed."""
    with staff.database.reading() as session:
        campaign = figures.numbered(session, campaign_id)
        return _form(staff, session, fields_of(plan_of(campaign.plan)), campaign)


@router.post("/campaigns/{campaign_id}/plan")
def change(staff: Runner, campaign_id: int) -> Response:
    """Another plan: an approval it had is void."""
    try:
        with staff.database.writing() as session:
            campaign = figures.numbered(session, campaign_id, lock=True)
            plan = plan_from(staff.sent, plan_of(campaign.plan))
            life.change(session, staff.vault, campaign.name, plan, by=staff.actor, at=staff.now)
    except BadInput as wrong:
        return _again(staff, wrong, campaign_id)
    return go_to(staff, place_of(campaign), said("campaigns.changed"))


@router.post("/campaigns/{campaign_id}/dry-run")
def dry_run(staff: Runner, campaign_id: int) -> Response:
    """Have everything counted and rendered; nothing is sent."""
    return _ask(staff, campaign_id, ErrandKind.DRY_RUN, "campaigns.dry_begun")


@router.post("/campaigns/{campaign_id}/submit")
def submit(staff: Runner, campaign_id: int) -> Response:
    """Freeze the recipients and ask another person to approve."""
    return _ask(staff, campaign_id, ErrandKind.SUBMIT, "campaigns.submit_begun")


@router.post("/campaigns/{campaign_id}/test")
def test(staff: Runner, campaign_id: int) -> Response:
    """Send one text, with an invented name, to an address of our own."""
    sent = staff.sent
    try:
        way, language, variant = Way(sent.get("way")), Language(sent.get("language")), Variant(sent.get("variant"))
        categories = tuple(Category(one) for one in sent.all("category"))
    except ValueError:
        raise BadInput("Choose how, in which language and which form.") from None
    with staff.database.reading() as session:
        campaign = figures.numbered(session, campaign_id)
    given: dict[str, Any] = {"channel": way, "language": language, "categories": categories, "variant": variant}
    testing.send(office(staff), campaign, to=sent.get("to"), **given, by=staff.actor)
    return go_to(staff, sent.raw("back"), said("campaigns.tested"))


def _ask(staff: Staff, campaign_id: int, kind: ErrandKind, word: str) -> Response:
    with staff.database.writing() as session:
        campaign = figures.numbered(session, campaign_id, lock=True)
        errands.ask(session, campaign, kind, by=staff.actor, at=staff.now)
    return go_to(staff, place_of(campaign), said(word))


def _again(staff: Staff, wrong: BadInput, campaign_id: int | None = None) -> Response:
    """The form as it was typed, with what is wrong above it."""
    notice = not_done(str(wrong))
    told = staff.t(notice.key) if notice.key != "answers" else in_words(staff, str(wrong))
    with staff.database.reading() as session:
        campaign = figures.numbered(session, campaign_id) if campaign_id is not None else None
        typed = {name: staff.sent.raw(name)[:90] for name in ("name", "notice", "number", "publication")}
        return _form(staff, session, {**fields_sent(staff.sent), **typed}, campaign, wrong=told, status=422)


def _form(
    staff: Staff,
    session: Session,
    fields: dict[str, Any],
    campaign: Campaign | None = None,
    *,
    wrong: str = "",
    status: int = 200,
) -> Response:
    held = versions.held(session)
    return page(
        staff,
        "console/campaign_plan.html",
        status=status,
        campaign=campaign,
        home=HOME,
        f=fields,
        wrong=wrong,
        notices_known=NOTICES,
        categories=list(Category),
        tongues=list(Language),
        clinics=sorted({*clinics_on_file(session), *fields["clinic"]}),
        held=held,
        picks=[f"{one.notice}|{one.version}" for one in held],
        ways=list(Way),
        rungs=RUNGS,
        releases=list(Release),
        forms=(Variant.STANDARD, Variant.SHARED),
        written=template.LANGUAGES,
    )
