"""Batches of letters: made once and never changed, printed as often as needed, posted, and emptied when their time is over.

A batch is two files for the printing house, readable by their owner alone: `letters.pdf`, the letters one after the other, and
`addresses.csv`, a line for each. Their digests are in the sealed log.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot.base import leases
from bot.base.errors import BadInput, Tampered
from bot.base.text.spreadsheet import line
from bot.campaigns import hands, life
from bot.campaigns.content import letter
from bot.campaigns.content.letter import ADDRESS_LINES
from bot.campaigns.models import Campaign, Notice, NoticeStatus
from bot.campaigns.office import Office
from bot.campaigns.paper.gathering import Waiting, waiting
from bot.campaigns.paper.models import Letter, LetterBatch
from bot.patients.models import Way

LARGEST = 2000
LEASE_S = 600.0
PDF, LIST = "letters.pdf", "addresses.csv"
HEAD = ("place", "number", "pages", "language", "registered", *(f"line_{place}" for place in range(1, ADDRESS_LINES + 1)))


def make(office: Office, home: Path, name: str, *, size: int, registered: bool, by: str) -> LetterBatch:
    """Make the next batch; raises BadInput unless the campaign runs and a letter waits, or while somebody else makes one.

    Raises Misconfigured without fonts.
    """
    if not 1 <= size <= LARGEST:
        raise BadInput(f"A batch has 1 to {LARGEST:,} letters.")
    with office.database.writing() as session:
        campaign = life.named(session, name)
        hands.under_way(campaign)
        lease = f"campaign.letters.{campaign.id}"
        if not leases.take(session, name=lease, holder=office.holder, at=office.clock(), seconds=LEASE_S):
            raise BadInput("Somebody else is making letters of this campaign just now.")
    try:
        with office.database.writing() as session:
            found = waiting(session, office, campaign, size)
        if not found:
            raise BadInput("No letter waits to be made.")
        pdf, pages = letter.batch([one.sheet for one in found])
        listed = _list(found, pages, registered=registered).encode()
        with office.database.writing() as session:
            return _store(session, office, home, campaign, found, pages, (pdf, listed), registered=registered, by=by)
    finally:
        with office.database.writing() as session:
            leases.release(session, name=lease, holder=office.holder)


def _list(found: Sequence[Waiting], pages: Sequence[int], *, registered: bool) -> str:
    rows = [line(HEAD)]
    for place, (one, number) in enumerate(zip(found, pages, strict=True), start=1):
        post = "yes" if registered else "no"
        rows.append(line((place, one.sheet.number, number, one.language, post, *one.sheet.address)))
    return "".join(rows)


def _store(
    session: Session, office: Office, home: Path, campaign: Campaign, found: Sequence[Waiting], pages: Sequence[int],
    files: tuple[bytes, bytes], *, registered: bool, by: str,
) -> LetterBatch:  # fmt: skip
    # It may have been paused while the pages were set: then nothing of them is to leave the house.
    hands.under_way(session.get_one(Campaign, campaign.id, with_for_update=True, populate_existing=True))
    ids, at = [one.notice_id for one in found], office.clock()
    still = select(Notice.id).where(Notice.id.in_(ids), Notice.status == NoticeStatus.LISTED.value).with_for_update()
    if len(session.scalars(still).all()) != len(ids):
        raise BadInput("Somebody of this batch was told meanwhile: make it again.")
    digests = [hashlib.sha256(one).hexdigest() for one in files]
    batch = LetterBatch(
        campaign_id=campaign.id, at=at, by=by[:60], letters=len(ids), pages=sum(pages), registered=registered,
        pdf_sha256=digests[0], list_sha256=digests[1],
    )  # fmt: skip
    session.add(batch)
    session.flush()
    for place, (one, number) in enumerate(zip(found, pages, strict=True), start=1):
        session.add(Letter(notice_id=one.notice_id, batch_id=batch.id, place=place, pages=number, number=one.sheet.number))
        session.execute(update(Notice).where(Notice.id == one.notice_id).values(text_digest=one.digest))
    said = {"batch": batch.id, "letters": batch.letters, "pages": batch.pages, "registered": registered}
    made = {"pdf": digests[0], "list": digests[1], "notices": ids, "texts": sorted({one.digest for one in found})}
    life.log(session, office.vault, campaign, "letters_made", by, at, **said, **made)
    _write(folder_of(home, batch), dict(zip((PDF, LIST), files, strict=True)))
    return batch


def folder_of(home: Path, batch: LetterBatch) -> Path:
    """Where the files of a batch lie."""
    return home / "letters" / str(batch.campaign_id) / f"batch-{batch.id}"


def _write(folder: Path, files: dict[str, bytes]) -> None:
    if folder.exists():
        shutil.rmtree(folder)  # left behind by a batch that was not stored
    folder.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.mkdir(mode=0o700)
    for name, content in files.items():
        path = folder / name
        path.touch(mode=0o600)
        path.write_bytes(content)


def all_of(session: Session, campaign: Campaign) -> list[LetterBatch]:
    """The batches of a campaign, in order."""
    return list(session.scalars(select(LetterBatch).where(LetterBatch.campaign_id == campaign.id).order_by(LetterBatch.id)))


def one_of(session: Session, campaign: Campaign, batch_id: int) -> LetterBatch:
    """A batch of the campaign; raises BadInput when it has none with this number."""
    batch = session.get(LetterBatch, batch_id, with_for_update=True)
    if batch is None or batch.campaign_id != campaign.id:
        raise BadInput(f"This campaign has no batch {batch_id}.")
    return batch


def fetch(session: Session, office: Office, home: Path, campaign: Campaign, batch_id: int, *, by: str) -> dict[str, bytes]:
    """The files of a batch, as they were made; every time is in the log. Raises BadInput, Tampered when a file was changed."""
    batch = one_of(session, campaign, batch_id)
    if batch.emptied_at is not None:
        raise BadInput("The files of this batch are gone: their time was over.")
    files = {}
    for name, digest in ((PDF, batch.pdf_sha256), (LIST, batch.list_sha256)):
        try:
            files[name] = (folder_of(home, batch) / name).read_bytes()
        except OSError:
            raise BadInput(f"{name} of batch {batch.id} is not on this machine.") from None
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise Tampered(f"{name} of batch {batch.id} is not the file that was made.")
    life.log(session, office.vault, campaign, "letters_fetched", by, office.clock(), batch=batch.id)
    return files


def posted(session: Session, office: Office, campaign: Campaign, batch_id: int, *, receipt: str, by: str) -> int:
    """The batch was handed to the post; returns for how many people nothing more is owed. Raises BadInput when it was already."""
    batch, at = one_of(session, campaign, batch_id), office.clock()
    if batch.posted_at is not None:
        raise BadInput(f"Batch {batch.id} was posted already.")
    ids = session.scalars(select(Letter.notice_id).where(Letter.batch_id == batch.id).order_by(Letter.place)).all()
    number = hands.handed(session, office.vault, campaign, Way.LETTER, ids, by=by, at=at)
    batch.posted_at, batch.posted_by, batch.receipt = at, by[:60], receipt.strip()[:120]
    said = {"batch": batch.id, "letters": number, "receipt": batch.receipt}
    life.log(session, office.vault, campaign, "letters_posted", by, at, **said)
    return number


def empty(session: Session, office: Office, home: Path, before: datetime, campaign_id: int | None = None) -> int:
    """Remove the files of batches that were posted before then, or of a campaign that has ended; returns of how many.

    Their digests stay. Of files on another machine, or that cannot be removed, nobody says that they are gone.
    """
    due = select(LetterBatch).where(LetterBatch.emptied_at.is_(None))
    due = due.where(LetterBatch.posted_at < before if campaign_id is None else LetterBatch.campaign_id == campaign_id)
    here = [one for one in session.scalars(due.with_for_update()) if folder_of(home, one).is_dir()]
    for batch in here:
        shutil.rmtree(folder_of(home, batch), ignore_errors=True)
    gone = [one for one in here if not folder_of(home, one).exists()]
    for batch in gone:
        batch.emptied_at = office.clock()
        campaign = session.get_one(Campaign, batch.campaign_id)
        life.log(session, office.vault, campaign, "letters_emptied", "operator", office.clock(), batch=batch.id)
    return len(gone)


KEPT = timedelta(days=30)
"""How long the files of a posted batch stay: until the printing house has answered for it."""
