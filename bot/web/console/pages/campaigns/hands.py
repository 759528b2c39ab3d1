"""What people do where no message reaches: letters and returned mail, a public notice, a decision."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path

from fastapi import Response
from fastapi.responses import HTMLResponse

from bot.base.errors import BadInput
from bot.campaigns import figures, hands
from bot.campaigns.paper import batches, gathering, public, returns
from bot.campaigns.paper.models import Medium, Return
from bot.campaigns.phones import calls
from bot.campaigns.watching import tables
from bot.web.console.answers import go_to
from bot.web.console.door import Staff
from bot.web.console.notices import said
from bot.web.console.pages.campaigns.place import Reader, Runner, moment_of, names, office, place_of, router
from bot.web.console.pages.campaigns.saying import in_words
from bot.web.console.rendering import page

REFUSED_SHOWN = 50


@router.get("/campaigns/{campaign_id}/hands", response_class=HTMLResponse)
def by_hand(staff: Reader, campaign_id: int) -> Response:
    """What waits for people, and what they have done."""
    return _shown(staff, campaign_id)


def _counted(done: returns.Imported) -> dict[str, int]:
    return {"n": done.back, "again": done.again, "left": done.left, "repeated": done.repeated}


def _shown(staff: Staff, campaign_id: int, done: returns.Imported | None = None, typed: str = "") -> Response:
    """The page; after a list of returned mail with the rows that were not taken in, and that list to be mended."""
    with staff.database.reading() as session:
        one = figures.numbered(session, campaign_id)
        return page(
            staff,
            "console/campaign_hands.html",
            status=422 if done else 200,
            back_said=staff.t("campaigns.letters_back", **_counted(done)) if done else "",
            refused=[in_words(staff, row) for row in done.refused[:REFUSED_SHOWN]] if done else [],
            refused_number=len(done.refused) if done else 0,
            typed=typed,
            reasons=list(Return),
            campaign=one,
            letters=gathering.count(session, one.id),
            batches=batches.all_of(session, one),
            to_ring=calls.waiting(session, one),
            left=tables.left_to_the_team(session, one),
            left_number=tables.number_left(session, one),
            names=names(staff, session),
            media=list(Medium),
            most=batches.LARGEST,
        )


@router.post("/campaigns/{campaign_id}/letters")
def make(staff: Runner, campaign_id: int) -> Response:
    """Make the next batch of letters: one PDF and one list of addresses."""
    with staff.database.reading() as session:
        one = figures.numbered(session, campaign_id)
    size, registered = staff.sent.number("size"), bool(staff.sent.get("registered"))
    made = batches.make(office(staff), _home(staff), one.name, size=size, registered=registered, by=staff.actor)
    return go_to(staff, place_of(one, "hands"), said("campaigns.letters_made", n=made.letters))


@router.post("/campaigns/{campaign_id}/letters/{batch_id}/fetch")
def fetch(staff: Runner, campaign_id: int, batch_id: int) -> Response:
    """The files of a batch for the printing house; every time is in the log."""
    with staff.database.writing() as session:
        one = figures.numbered(session, campaign_id)
        files = batches.fetch(session, office(staff), _home(staff), one, batch_id, by=staff.actor)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    held = {"Content-Disposition": f'attachment; filename="letters-{batch_id}.zip"'}
    return Response(packed.getvalue(), media_type="application/zip", headers=held)


@router.post("/campaigns/{campaign_id}/letters/{batch_id}/posted")
def posted(staff: Runner, campaign_id: int, batch_id: int) -> Response:
    """A batch was handed to the post."""
    with staff.database.writing() as session:
        one = figures.numbered(session, campaign_id, lock=True)
        receipt = staff.sent.get("receipt", 120)
        number = batches.posted(session, office(staff), one, batch_id, receipt=receipt, by=staff.actor)
    return go_to(staff, place_of(one, "hands"), said("campaigns.letters_posted", n=number))


@router.post("/campaigns/{campaign_id}/returned")
def returned(staff: Runner, campaign_id: int) -> Response:
    """Letters came back: their numbers, one in each line, with the reason the post marks."""
    with staff.database.writing() as session:
        one = figures.numbered(session, campaign_id, lock=True)
        typed = staff.sent.get("numbers", 200_000)
        done = returns.bring_in(session, staff.vault, one, typed, by=staff.actor, at=staff.now)
    if done.refused:  # the list stays in the form to be mended: what was taken in is not taken in twice
        return _shown(staff, campaign_id, done, typed)
    return go_to(staff, place_of(one, "hands"), said("campaigns.letters_back", **_counted(done)))


@router.post("/campaigns/{campaign_id}/close/{obligation_id}")
def close(staff: Runner, campaign_id: int, obligation_id: int) -> Response:
    """Nothing more is owed to one person, for a reason somebody answers for."""
    with staff.database.writing() as session:
        one = figures.numbered(session, campaign_id, lock=True)
        why = staff.sent.get("why", 300)
        hands.close(session, staff.vault, one, obligation_id, why=why, by=staff.actor, at=staff.now)
    return go_to(staff, place_of(one, "hands"), said("campaigns.closed_one"))


@router.post("/campaigns/{campaign_id}/public")
def publish(staff: Runner, campaign_id: int) -> Response:
    """A public notice stands for everybody who is left to the team; what it said is kept."""
    sent = staff.sent
    medium = next((one for one in Medium if one.value == sent.get("medium")), None)
    words = sent.get("words", 50_000)
    if medium is None or not words:
        raise BadInput("Say where the notice stands, and what it says word for word.")
    since = moment_of(sent.get("since")) or staff.now
    with tempfile.TemporaryDirectory(prefix="public-") as folder, staff.database.writing() as session:
        file = Path(folder) / "notice.txt"
        file.write_text(words, encoding="utf-8")
        one = figures.numbered(session, campaign_id, lock=True)
        given = {"medium": medium, "place": sent.get("place", 300), "since": since, "until": moment_of(sent.get("until"))}
        row = public.publish(session, office(staff), _home(staff), one, **given, file=file, by=staff.actor)  # type: ignore[arg-type]
    return go_to(staff, place_of(one, "hands"), said("campaigns.published", n=row.people))


def _home(staff: Staff) -> Path:
    return staff.door.application.settings.home
