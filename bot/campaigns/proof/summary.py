"""The summary of a campaign as a PDF: what was planned and approved, what came of it, day by day, and how to check it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.base.clock import in_hong_kong
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.campaigns.content import press
from bot.campaigns.models import Campaign
from bot.campaigns.proof.log import Counted
from bot.campaigns.proof.tables import Agreement

LAYOUT = REPOSITORY / "templates" / "evidence" / "summary.typ"
DAYS_SHOWN = 31
"""Days of the chart; what lies before them stands in the table."""
WORDS = {
    "created": "drafted", "changed": "changed", "submitted": "submitted, recipients frozen", "approved": "approved",
    "started": "started", "paused": "paused", "resumed": "resumed", "wave_begun": "wave begun", "wave_released": "wave released",
    "held": "an authority ordered to wait", "hold_lifted": "the order was lifted", "completed": "completed",
    "cancelled": "cancelled", "tested": "test sent to an address of our own", "public_notice": "public notice recorded",
    "letters_made": "letters made", "letters_posted": "letters handed to the post", "purged": "addresses removed",
}  # fmt: skip
MEANS = {
    "planned": "a later wave, not begun", "open": "under way, no final result yet", "delivered": "arrived, or told by phone",
    "posted": "letter posted, not come back", "manual": "left to the team, not told yet", "closed": "by hand, with a reason",
    "substitute": "not reached, public notice alone", "cancelled": "not told by this campaign",
}  # fmt: skip
"""What each state of a person says to somebody who does not know the program."""
SAID = ("why", "wave", "authority", "population", "where", "people", "batch", "letters", "receipt", "sha256")


@dataclass(frozen=True)
class Facts:
    """What the summary is made of."""

    campaign: Campaign
    clinic: str
    logged: Counted
    seen: Agreement
    chain: str  # how the check of the whole log ended, in words
    head: Any  # the last entry covered
    unequal_texts: int
    public: Sequence[Any]
    batches: Sequence[Any]


def pdf(facts: Facts) -> bytes:
    """The summary; the same for the same data. Raises Misconfigured when fonts are missing."""
    return press.set_pages(LAYOUT.read_bytes(), "summary", _content(facts), facts.head.sealed_at)


def _content(facts: Facts) -> dict[str, Any]:
    campaign = facts.campaign
    name = f"{campaign.notice.replace('_', ' ')}, version {campaign.version}"
    return {
        "title": "Evidence of notification",
        "author": facts.clinic,
        "subtitle": f"{facts.clinic} · {campaign.name} · {name}",
        "font": press.checked_font(Language.ZH_HANT),
        "foot": f"{campaign.name} · log entry {facts.head.sequence} · {facts.head.mac[:16]}…",
        "opening": _opening(facts),
        "parts": [_people(facts), _by_day(facts), _ways(facts), _steps(facts), *_paper(facts), _proof(facts)],
    }


def _opening(facts: Facts) -> list[str]:
    told = sum(number for state, number in facts.seen.people.items() if state in ("delivered", "posted", "substitute", "closed"))
    population = sum(facts.seen.people.values())
    as_of = _hour(facts.head.sealed_at)
    return [
        f"Of {population:,} people this notice is owed to, nothing more is owed to {told:,}. The campaign is "
        f"{facts.campaign.status}. All figures are as of {as_of}, entry {facts.head.sequence:,} of the sealed log.",
        "No address and no name of a patient is in this folder. People and notices stand under numbers of ours.",
    ]


def _people(facts: Facts) -> dict[str, Any]:
    people = sorted(facts.seen.people.items())
    states = [[f"{state} ({MEANS[state]})" if state in MEANS else state, f"{number:,}"] for state, number in people]
    states.append(["all", f"{sum(facts.seen.people.values()):,}"])
    tables = [{"head": ["People by state", "Number"], "rows": states}]
    if facts.seen.because:
        rows = [[why.replace("_", " "), f"{number:,}"] for why, number in sorted(facts.seen.because.items())]
        tables.append({"head": ["Left to the team, because", "Number"], "rows": rows})
    return {"heading": "People", "tables": tables}


def _by_day(facts: Facts) -> dict[str, Any]:
    days: dict[str, Counter[str]] = {}
    for (day, _, what), number in sorted(facts.logged.by_day.items()):
        days.setdefault(day, Counter())[what] += number
    names = sorted({what for counted in days.values() for what in counted})
    shown = list(days.items())[-DAYS_SHOWN:]
    bars = [{"label": _short(day), "numbers": [counted[name] for name in names]} for day, counted in shown]
    rows = [[day, *(f"{counted[name]:,}" for name in names)] for day, counted in days.items()]
    words = [name.replace("_", " ") for name in names]
    if not bars:
        return {"heading": "By day", "lines": ["Nothing was handed over yet."]}
    title = "Entries of the sealed log by day (Hong Kong)"
    return {
        "heading": "By day",
        "charts": [{"title": title, "names": words, "days": bars}],
        "tables": [{"head": ["Day", *words], "rows": rows}],
    }


def _ways(facts: Facts) -> dict[str, Any]:
    states = sorted({state for _, state in facts.seen.notices})
    channels = sorted({channel for channel, _ in facts.seen.notices})
    rows = [[one, *(f"{facts.seen.notices[one, state]:,}" for state in states)] for one in channels]
    if not rows:
        return {"heading": "By channel", "lines": ["No notice was begun yet."]}
    return {"heading": "By channel", "tables": [{"head": ["Channel", *states], "rows": rows}]}


def _steps(facts: Facts) -> dict[str, Any]:
    rows = []
    for at, what, who, said in facts.logged.steps:
        more = "; ".join(f"{name} {said[name]}" for name in SAID if said.get(name) not in (None, ""))
        rows.append([_hour(at), WORDS.get(what, what.replace("_", " ")), who, more])
    digests = [f"{what}: {digest}" for what, digest in (facts.campaign.digests or {}).items()]
    lines = ["The approval is bound to these digests (SHA-256):", *digests] if digests else []
    return {
        "heading": "Who did what",
        "lines": lines,
        "tables": [{"words": True, "head": ["When", "What", "Who", "More"], "rows": rows}],
    }


def _paper(facts: Facts) -> list[dict[str, Any]]:
    parts = []
    if facts.batches:
        rows = [
            [
                f"{one.id}",
                f"{one.letters:,}",
                f"{one.pages:,}",
                "yes" if one.registered else "no",
                _hour(one.posted_at),
                one.receipt,
            ]
            for one in facts.batches
        ]
        head = ["Batch", "Letters", "Pages", "Registered", "Posted", "Receipt"]
        parts.append({"heading": "Letters", "tables": [{"head": head, "rows": rows}]})
    if facts.public:
        rows = [[one.place, one.medium, _hour(one.since), _hour(one.until), one.by] for one in facts.public]
        head = ["Where", "Medium", "From", "Until", "Recorded by"]
        parts.append({"heading": "Notices to the public", "tables": [{"words": True, "head": head, "rows": rows}]})
    return parts


def _proof(facts: Facts) -> dict[str, Any]:
    seen = facts.seen
    agree = "The tables and the sealed log say the same of every notice, and of how each person was told."
    if not seen.holds:
        agree = (
            f"The tables and the sealed log differ: {seen.not_in_log:,} notices are not in the log, {seen.other_text:,} name "
            f"another text, {seen.gone:,} are in the log alone; of {seen.ends_not_in_log:,} people the log does not say what the "
            "table says."
        )
    texts = "Every text that was sent was made again, byte by byte, and has the digest the log names."
    if facts.unequal_texts:
        texts = f"{facts.unequal_texts:,} texts could not be made again as they were sent."
    return {
        "heading": "How this can be checked",
        "lines": [
            facts.chain,
            agree,
            texts,
            "The command sha256sum -c SHA256SUMS, in this folder, says whether a file was changed. README.txt says what else can "
            "be checked, and what this cannot show.",
            f"Head of the log: entry {facts.head.sequence}, {facts.head.mac}",
        ],
    }


def _hour(at: datetime | None) -> str:
    return f"{in_hong_kong(at):%-d %b %Y %H:%M}" if at else "–"


def _short(day: str) -> str:
    return f"{int(day[8:])}/{int(day[5:7])}"


def _yes(batch: Any) -> str:
    return "yes" if batch.registered else "no"
