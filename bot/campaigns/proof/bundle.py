"""The evidence of a campaign as a folder: a summary, tables, the texts as sent, the log's entries, and digests of all of it.

Made from the same data it is the same, byte by byte. That it was made, and with which digest, is in the sealed log.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import select

from bot.base import audit, evidence
from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.base.text.spreadsheet import line
from bot.campaigns import life
from bot.campaigns.models import Campaign, CampaignApproval, CampaignHold, Obligation
from bot.campaigns.office import Office
from bot.campaigns.paper.models import LetterBatch, PublicNotice
from bot.campaigns.proof import summary, tables, wordings
from bot.campaigns.proof.log import Counted, Proven, entries_of, head_at, moment
from bot.conversations.speaking import wording
from bot.conversations.speaking.publication import Publication

SUMS = "SHA256SUMS"
FORMAT = 1
README = REPOSITORY / "templates" / "evidence" / "README.txt"
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Made:
    """What was made."""

    folder: Path
    digest: str  # SHA-256 of SHA256SUMS: one number for all of it
    files: int
    entries: int
    agrees: bool  # whether log, tables and texts say the same, and the log is in order


def export(
    office: Office, name: str, folder: Path, *, keys: str, heads: Path | None, by: str, progress: Progress = lambda _: None
) -> Made:
    """Write the evidence of a campaign into a new folder; raises BadInput, Tampered, Misconfigured."""
    if folder.exists() and any(folder.iterdir()):
        raise BadInput(f"The folder {folder.name} is not empty: give one that does not exist.")
    audit.seal(office.database, keys, office.clock())
    with office.database.reading() as session:
        campaign, head = life.named(session, name), head_at(session)
    if head is None:
        raise BadInput("The sealed log is empty.")
    progress("checking the whole log")
    verdict = evidence.verify(office.database, keys, heads)
    made = _Folder(folder)
    facts = _collect(office, campaign, made, head, verdict, progress)
    made.write("summary.pdf", summary.pdf(facts))
    made.write("README.txt", README.read_bytes())
    made.write("manifest.json", _manifest(facts, verdict))
    digest = made.close()
    agrees = verdict.ok and facts.seen.holds and not facts.unequal_texts
    with office.database.writing() as session:
        said = {"sums": digest, "head": facts.head.sequence, "files": len(made.sums), "agrees": agrees}
        life.log(session, office.vault, campaign, "evidence_exported", by, office.clock(), **said)
    return Made(folder, digest, len(made.sums), facts.logged.entries, agrees)


def _collect(
    office: Office, campaign: Campaign, made: _Folder, head: Any, verdict: evidence.Verdict, progress: Progress
) -> summary.Facts:
    logged, seen = Counted(), tables.Agreement()
    with office.database.reading() as session:
        persons = set(session.scalars(select(Obligation.person_id).where(Obligation.campaign_id == campaign.id)))
        public = session.scalars(
            select(PublicNotice).where(PublicNotice.campaign_id == campaign.id).order_by(PublicNotice.id)
        ).all()
        batches = session.scalars(
            select(LetterBatch).where(LetterBatch.campaign_id == campaign.id).order_by(LetterBatch.id)
        ).all()
    progress("the log's entries")
    entries = entries_of(office.database, office.vault, campaign.id, persons, head.sequence)
    made.stream("log.jsonl", (one.as_line() for one in _counted(entries, logged)))
    progress("people and notices")
    made.stream("people.csv", tables.people(office.database, campaign, seen, logged, head.sealed_at))
    made.stream("notices.csv", tables.notices(office.database, campaign.id, seen, logged, head.sealed_at))
    made.stream("totals.csv", _totals(logged))
    made.write("plan.json", _plan(office, campaign))
    progress("the texts")
    texts = wordings.texts_of(office, campaign, seen)
    for name, content in sorted(texts.files.items()):
        made.write(name, content)
    clinic = _clinic(office, campaign)
    chain = "The whole sealed log was checked when this was made, and is in order." if verdict.ok else verdict.in_words()
    return summary.Facts(campaign, clinic, logged, seen, chain, logged.last or head, texts.unequal, public, batches)


def _counted(entries: Iterable[Proven], logged: Counted) -> Iterable[Proven]:
    for one in entries:
        if one.row.kind != "campaign.evidence_exported":  # else an export would never equal the one before
            logged.count(one)
            yield one


def _totals(logged: Counted) -> Iterable[str]:
    yield line(("day_hong_kong", "channel", "what", "number"))
    for (day, channel, what), number in sorted(logged.by_day.items()):
        yield line((day, channel, what, number))


def _plan(office: Office, campaign: Campaign) -> bytes:
    with office.database.reading() as session:
        approvals = session.scalars(
            select(CampaignApproval).where(CampaignApproval.campaign_id == campaign.id).order_by(CampaignApproval.id)
        ).all()
        holds = session.scalars(
            select(CampaignHold).where(CampaignHold.campaign_id == campaign.id).order_by(CampaignHold.id)
        ).all()
    said = {
        "campaign": campaign.name,
        "notice": campaign.notice,
        "version": campaign.version,
        "by": campaign.by,
        "submitted_by": campaign.submitted_by,
        "plan": campaign.plan,
        "digests": campaign.digests,
        "approvals": [
            {"by": one.by, "at": moment(one.at), "digests": one.digests, "void_since": _moment(one.voided_at)}
            for one in approvals
        ],
        "holds": [
            {
                "authority": one.authority,
                "since": moment(one.since),
                "until": _moment(one.until),
                "lifted": _moment(one.lifted_at),
            }
            for one in holds
        ],
    }
    return _json(said)


def _moment(at: datetime | None) -> str | None:
    return moment(at) if at else None


def _clinic(office: Office, campaign: Campaign) -> str:
    """The clinic's name in the facts of the campaign's publication; the campaign's own name where that is not known."""
    number = campaign.version.partition(".")[2]
    with office.database.reading() as session:
        publication = session.get(Publication, int(number)) if number.isdecimal() else None
    facts = wording.surroundings(json.loads(publication.content), Language.EN)["facts"] if publication else {}
    fact = facts.get("clinic_name")
    return str(fact) if fact is not None and fact.known else campaign.name


def _manifest(facts: summary.Facts, verdict: evidence.Verdict) -> bytes:
    head, seen = facts.head, facts.seen
    return _json(
        {
            "format": FORMAT,
            "campaign": facts.campaign.name,
            "version": facts.campaign.version,
            "status": facts.campaign.status,
            "head": {"sequence": head.sequence, "mac": head.mac, "sealed_at": moment(head.sealed_at), "key_id": head.key_id},
            "log": {"in_order": verdict.ok, "entries_here": facts.logged.entries},
            "people": dict(sorted(seen.people.items())),
            "agreement": {
                "holds": seen.holds and not facts.unequal_texts,
                "people_not_in_log": seen.ends_not_in_log,
                "notices_not_in_log": seen.not_in_log,
                "notices_with_other_text": seen.other_text,
                "notices_only_in_log": seen.gone,
                "texts_not_made_again": facts.unequal_texts,
            },
        }
    )


def _json(content: Any) -> bytes:
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


class _Folder:
    """A folder that is being filled: files for their owner alone, each digested as it is written."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.path, self.sums = path, dict[str, str]()

    def write(self, name: str, content: bytes) -> None:
        self._put(name, [content])

    def stream(self, name: str, lines: Iterable[str]) -> None:
        self._put(name, (one.encode("utf-8", "surrogatepass") for one in lines))

    def _put(self, name: str, pieces: Iterable[bytes]) -> None:
        target, digest = self.path / name, hashlib.sha256()
        target.parent.mkdir(exist_ok=True, mode=0o700)
        with target.open("xb") as file:
            target.chmod(0o600)
            for piece in pieces:
                digest.update(piece)
                file.write(piece)
        self.sums[name] = digest.hexdigest()

    def close(self) -> str:
        """Write the list of digests, in the form `sha256sum -c` reads, and return its own."""
        listed = "".join(f"{digest}  {name}\n" for name, digest in sorted(self.sums.items())).encode()
        self._put(SUMS, [listed])
        return self.sums.pop(SUMS)
