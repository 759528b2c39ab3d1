"""A campaign as a machine: whatever is done to it, nobody is missing and nobody is sent anything twice."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bot.base.database import Database
from bot.base.errors import AccountFailure, BadInput, IllegalMove, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bot.base.vault import BlindIndex, Vault, new_key
from bot.campaigns import events, figures, life
from bot.campaigns.models import Campaign, Notice
from bot.campaigns.plan import Plan, Release
from bot.channels.base import DeliveryEvent, Outcome
from bot.patients.models import Way
from tests.campaigns.house import AUTHOR, OTHER, Clinic
from tests.make import FakeClock

ERRORS = {
    "none": None,
    "unknown": OutcomeUnknown("broke", code="500"),
    "bad number": PermanentFailure("nobody has it", code="21211"),
    "slow": TemporaryFailure("slow down", code="429", retry_after_s=5, is_limit=True),
    "account": AccountFailure("refused", code="20003"),
}


class CampaignMachine(RuleBasedStateMachine):
    """One campaign of a dozen people."""

    migrated: Path

    @initialize()
    def opens(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="candour-campaign-"))
        shutil.copyfile(self.migrated, self.folder / "db.sqlite3")
        database = Database(f"sqlite:///{self.folder / 'db.sqlite3'}")
        self.clinic = Clinic(database, Vault(new_key("v1")), BlindIndex(new_key("i1")), FakeClock())
        self.clinic.people(10)
        self.clinic.person(deceased=True)
        self.clinic.person(email=None)
        self.clinic.campaign(ladder=(Way.EMAIL, Way.SMS), waves=(3, 4), release=Release.DESK)

    def _tries(self, deed: str) -> None:
        clinic, office = self.clinic, self.clinic.office()
        with contextlib.suppress(BadInput, IllegalMove):
            match deed:
                case "submit":
                    life.submit(office, "first", by=AUTHOR)
                case "approve":
                    life.approve(office, "first", by=OTHER)
                case "start":
                    life.start(office, "first", by=AUTHOR)
                case _:
                    with clinic.database.writing() as session:
                        self._steers(deed, life.named(session, "first", lock=True), session)

    def _steers(self, deed: str, campaign: Campaign, session: object) -> None:
        vault, at = self.clinic.vault, self.clinic.clock()
        if deed == "pause":
            life.pause(session, vault, campaign, by=AUTHOR, why="to look", at=at)  # type: ignore[arg-type]
        elif deed == "resume":
            life.resume(session, vault, campaign, by=AUTHOR, at=at)  # type: ignore[arg-type]
        elif deed == "cancel":
            life.cancel(session, vault, campaign, by=AUTHOR, why="no more", at=at)  # type: ignore[arg-type]
        else:
            plan = Plan(ladder=(Way.EMAIL, Way.SMS), waves=(2,), release=Release.DESK, per_second={Way.EMAIL: 9e5, Way.SMS: 9e5})
            life.change(session, vault, "first", plan, by=AUTHOR, at=at)  # type: ignore[arg-type]

    @rule(
        deed=st.sampled_from(["submit", "approve", "start", "submit", "approve", "start", "pause", "resume", "resume", "change"])
    )
    def is_steered(self, deed: str) -> None:
        self._tries(deed)

    @rule(sure=st.integers(0, 9))
    def is_cancelled(self, sure: int) -> None:
        if sure == 0:
            self._tries("cancel")

    @rule(email=st.sampled_from(sorted(ERRORS)), sms=st.sampled_from(sorted(ERRORS)), rounds=st.integers(1, 6))
    def works(self, email: str, sms: str, rounds: int) -> None:
        for provider, name in ((self.clinic.email, email), (self.clinic.sms, sms)):
            error = ERRORS[name]

            def answer(address: str, error: Exception | None = error) -> None:
                if error is not None:
                    raise error

            provider.answers = answer
        self.clinic.works(rounds)

    @rule(hours=st.sampled_from([1, 13, 80]))
    def time_passes(self, hours: int) -> None:
        self.clinic.clock.advance(hours=hours)

    @rule(place=st.integers(0, 20), outcome=st.sampled_from(list(Outcome)), code=st.sampled_from(["", "30005", "550"]))
    def is_reported(self, place: int, outcome: Outcome, code: str) -> None:
        notices = [one for one in self.clinic.notices() if one.status not in ("planned", "withheld", "cancelled")]
        if notices:
            notice = notices[place % len(notices)]
            event = DeliveryEvent(notice.reference, notice.provider_id or "SM0", outcome, code)
            with self.clinic.database.writing() as session:
                events.apply(session, self.clinic.office(), event, notice.channel, self.clinic.clock())

    @invariant()
    def adds_up(self) -> None:
        if not hasattr(self, "clinic"):
            return
        with self.clinic.database.reading() as session:
            campaign = life.named(session, "first")
            now = figures.standing(session, campaign, self.clinic.clock())
        assert campaign.status == "draft" or now.adds_up
        if campaign.status == "completed":
            assert now.settled == now.population
        times = [*self.clinic.email.got.values(), *self.clinic.sms.got.values()]
        assert set(times) <= {1}
        assert self.clinic.counts(Notice).get("submitting", 0) == 0

    def teardown(self) -> None:
        if hasattr(self, "clinic"):
            self.clinic.database.close()
            shutil.rmtree(self.folder, ignore_errors=True)


def test_whatever_is_done_to_a_campaign_nobody_is_missing_or_written_to_twice(migrated_file: Path) -> None:
    CampaignMachine.migrated = migrated_file
    limits = settings(max_examples=12, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(CampaignMachine, settings=limits)  # type: ignore[no-untyped-call]
