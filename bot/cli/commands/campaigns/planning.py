"""`campaign new`, `dry-run`, `test`, `submit`, `approve`: before anything is sent to a patient."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from bot.base.clock import in_hong_kong
from bot.base.errors import BadInput
from bot.base.languages import Language
from bot.campaigns import life, testing
from bot.campaigns.dryrun import Report, dry_run
from bot.campaigns.plan import Plan, plan_of
from bot.cli.commands.campaigns.desk import By, Json, Name, office, printed
from bot.cli.terminal import out, say, show
from bot.conversations.speaking.publication import Library
from bot.patients.models import Category, Way

Notice = Annotated[str, typer.Option("--notice", help="The template, such as first_notice.")]
Number = Annotated[int, typer.Option("--number", min=1, help="Which notice of the incident it is: 1 is the first.")]
PlanFile = Annotated[Path | None, typer.Option("--plan", metavar="PLAN.json", help="Audience, ladder, waves, pace, caps …")]
To = Annotated[str, typer.Option("--to", help="An address in CANDOUR_CAMPAIGN_TEST_ADDRESSES.")]
Through = Annotated[Way, typer.Option("--channel", help="By which way.")]
Spoken = Annotated[Language, typer.Option("--language", help="In which language.")]
Held = Annotated[list[Category] | None, typer.Option("--category", help="As for a person of whom this was held; repeatable.")]


def new(name: Name, notice: Notice = "first_notice", number: Number = 1, plan: PlanFile = None, by: By = "operator") -> None:
    """Draft a campaign with the facts that are published now."""
    chosen = _read(plan)
    with office() as at:
        with at.database.reading() as session:
            publication = Library().current(session, at.clock()).id
        version = f"{number}.{publication}"
        at.texts.digest(notice, version)
        with at.database.writing() as session:
            life.new(session, at.vault, name=name, notice=notice, version=version, plan=chosen, by=by, at=at.clock())
    say(f"Drafted {name}: {notice}, version {version}. See what it would do: ./candour campaign dry-run {name}")


def change(name: Name, plan: PlanFile = None, by: By = "operator") -> None:
    """Give a campaign another plan; an approval it had is void."""
    chosen = _read(plan)
    with office() as at, at.database.writing() as session:
        life.change(session, at.vault, name, chosen, by=by, at=at.clock())
    say(f"{name} is a draft again.")


def dry(name: Name, as_json: Json = False) -> None:
    """Render and count everything; nothing is sent and nobody is frozen."""
    with office() as at:
        with at.database.reading() as session:
            campaign = life.named(session, name)
        with show("Rendering") as progress:
            report = dry_run(at, campaign, lambda people: progress(people, people, "people"))
    if as_json:
        printed(report.plain())
    else:
        _show(report)
    if report.refused:
        raise typer.Exit(1)


def send_test(
    name: Name, to: To, channel: Through = Way.EMAIL, language: Spoken = Language.EN, held: Held = None, by: By = "operator"
) -> None:
    """Send one text with an invented name to an address of the test list."""
    with office() as at:
        with at.database.reading() as session:
            campaign = life.named(session, name)
        categories = tuple(held or ())
        sent = testing.send(at, campaign, to=to, channel=channel, language=language, categories=categories, by=by)
    say(f"The provider took it ({sent}).")


def submit(name: Name, by: By = "operator") -> None:
    """Freeze the recipients and ask for another person's approval; refused while the dry run refuses anything."""
    with office() as at:
        with at.database.reading() as session:
            campaign = life.named(session, name)
        with show("Checking every text") as progress:
            report = dry_run(at, campaign, lambda people: progress(people, people, "people"))
        if report.refused:
            raise BadInput(f"{report.refused} texts cannot be made; the first: {report.refusals[0]}")
        with show("Freezing the recipients") as progress:
            campaign = life.submit(at, name, by=by, progress=lambda people: progress(people, report.people, "people"))
    say(f"{campaign.population:,} people are frozen. Another person approves: ./candour campaign approve {name} --by …")
    for what, digest in (campaign.digests or {}).items():
        say(f"  {what}: {digest}")


def approve(name: Name, by: By) -> None:
    """Approve exactly what was submitted; not for whoever wrote, changed or submitted it."""
    with office() as at:
        campaign = life.approve(at, name, by=by)
    say(f"Approved for {campaign.population:,} people. To begin: ./candour campaign start {name}")


def _read(path: Path | None) -> Plan:
    if path is None:
        return Plan()
    try:
        stored: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise BadInput(f"{path.name} is not a file of JSON.") from None
    if not isinstance(stored, dict):
        raise BadInput(f"{path.name} does not hold a plan.")
    return plan_of(stored)


def _show(report: Report) -> None:
    out.print(f"{report.people:,} people, {report.texts:,} different texts, first rung about HK${report.first_cost:,.2f}.")
    for title, counted in (
        ("first by", report.first_rung),
        ("language", report.by_language),
        ("form", report.by_variant),
        ("left to the team", report.left_to_the_team),
    ):
        if counted:
            out.print(f"{title}: " + ", ".join(f"{number:,} {what}" for what, number in counted.most_common()))
    if report.segments[Way.SMS.value]:
        out.print(
            f"If every text were needed: {report.segments[Way.SMS.value]:,} SMS segments; all rungs HK${report.most_cost:,.2f}."
        )
    if report.shared_addresses:
        out.print(f"{report.shared_addresses:,} addresses are on file for several people ({report.shared_people:,}): one each.")
        for line in report.shared_most[:5]:
            out.print(f"  {escape(line)}")
    if report.finished_at:
        late = " [bold]after the deadline[/bold]" if report.after_deadline else ""
        out.print(f"At this pace the first rung ends {in_hong_kong(report.finished_at):%d %b %H:%M}{late}, holds not counted.")
    table = Table("to", "channel", "text", box=None)
    for sample in report.samples:
        table.add_row(escape(sample["to"]), sample["channel"], escape(sample["text"][:60].replace("\n", " ")))
    out.print(table)
    for refusal in report.refusals:
        out.print(f"Refused: {escape(refusal)}")
