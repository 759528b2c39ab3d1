"""The rows of a campaign: the plan and its approvals, whom it owes a notice, and every notice on its way.

An obligation is one person and one notice version; it ends only in a state that says how the person was told, or who decided.
A notice is one try by one channel at one contact point, committed before any call. No name, address or text lies here readable.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, literal_column, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.base.database import Base, Key, one_of
from bot.base.languages import Language
from bot.patients.models import Way

REFERENCE, CATEGORIES = "obligations.reference", "segments.categories"
PLANNED_ONLY = text("status IN ('planned', 'submitting')")
NOT_CANCELLED = text("status <> 'cancelled'")
LYING = text("parts > 0 AND status IN ('submitting', 'accepted', 'unknown')")  # texts that may lie in a provider's queue


class CampaignStatus(StrEnum):
    """Where a campaign is."""

    DRAFT = "draft"  # being written; nobody is frozen
    SUBMITTED = "submitted"  # the recipients are frozen; it waits for another person's approval
    APPROVED = "approved"  # approved with these digests; not started
    RUNNING = "running"  # notices leave
    PAUSED = "paused"  # nothing new leaves; `pause_reason` says why
    COMPLETED = "completed"  # everybody is in a final state
    CANCELLED = "cancelled"  # nothing more leaves, for good


class Campaign(Base):
    """One notice version for one set of people."""

    __tablename__ = "campaigns"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(String(80), unique=True)
    notice: Mapped[str] = mapped_column(String(60))  # the template's name
    version: Mapped[str] = mapped_column(String(20))  # of the facts it tells
    status: Mapped[str] = mapped_column(String(10), default=CampaignStatus.DRAFT)
    plan: Mapped[dict[str, Any]] = mapped_column(JSON)
    by: Mapped[str] = mapped_column(String(60))
    created_at: Mapped[datetime]
    submitted_by: Mapped[str | None] = mapped_column(String(60))
    digests: Mapped[dict[str, str] | None] = mapped_column(JSON)  # text, recipients, ladder, pace: as they were submitted
    population: Mapped[int] = mapped_column(default=0)
    wave: Mapped[int] = mapped_column(default=0)  # the last one released; 0 before the start
    hold_released: Mapped[int] = mapped_column(default=1)  # waves up to this may be released
    messages: Mapped[int] = mapped_column(default=0)  # taken up so far, against the caps
    segments: Mapped[int] = mapped_column(default=0)
    cost_micros: Mapped[int] = mapped_column(Key, default=0)
    pause_reason: Mapped[str] = mapped_column(String(300), default="")
    waits_for: Mapped[str] = mapped_column(String(300), default="")  # why nothing leaves although it is running
    results_from: Mapped[datetime | None]  # failures before this do not count towards a pause of its own
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        CampaignStatus.DRAFT: frozenset({CampaignStatus.SUBMITTED, CampaignStatus.CANCELLED}),
        CampaignStatus.SUBMITTED: frozenset({CampaignStatus.DRAFT, CampaignStatus.APPROVED, CampaignStatus.CANCELLED}),
        CampaignStatus.APPROVED: frozenset({CampaignStatus.DRAFT, CampaignStatus.RUNNING, CampaignStatus.CANCELLED}),
        CampaignStatus.RUNNING: frozenset({CampaignStatus.PAUSED, CampaignStatus.COMPLETED, CampaignStatus.CANCELLED}),
        CampaignStatus.PAUSED: frozenset({CampaignStatus.RUNNING, CampaignStatus.CANCELLED}),
    }

    __table_args__ = (one_of("status", CampaignStatus), {"sqlite_autoincrement": True})


class CampaignApproval(Base):
    """One approval: by whom, and of exactly what. Kept when it is void."""

    __tablename__ = "campaign_approvals"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), index=True)
    by: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]
    digests: Mapped[dict[str, str]] = mapped_column(JSON)
    voided_at: Mapped[datetime | None]


class CampaignHold(Base):
    """A dated order of an authority that stops a campaign until it ends or is lifted."""

    __tablename__ = "campaign_holds"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), index=True)
    authority: Mapped[str] = mapped_column(String(120))
    by: Mapped[str] = mapped_column(String(60))
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    lifted_at: Mapped[datetime | None]


class Variant(StrEnum):
    """Which form of a notice a person gets."""

    STANDARD = "standard"  # to the person
    SHARED = "shared"  # the same, to an address that several people have
    GUARDIAN = "guardian"  # to the parent or guardian of a minor
    NEUTRAL = "neutral"  # to a safe contact: names no clinic and no data


class Segment(Base):
    """People who get the identical text: rendered once for all of them."""

    __tablename__ = "segments"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"), index=True)
    language: Mapped[str] = mapped_column(String(8))
    variant: Mapped[str] = mapped_column(String(10))
    sealed_categories: Mapped[str] = mapped_column(Text)
    people: Mapped[int] = mapped_column(default=0)

    __table_args__ = (one_of("language", Language), one_of("variant", Variant), {"sqlite_autoincrement": True})


class ObligationStatus(StrEnum):
    """How far the duty to tell one person is."""

    PLANNED = "planned"  # frozen; its wave has not begun
    OPEN = "open"  # being told, rung by rung
    MANUAL = "manual"  # a person of the team has to see to it; `because` says why
    DELIVERED = "delivered"  # there is evidence that a notice arrived
    POSTED = "posted"  # a letter was handed to the post
    CLOSED = "closed"  # closed by a person, with a reason
    SUBSTITUTE = "substitute"  # told by a public notice
    CANCELLED = "cancelled"  # the campaign was cancelled first


FINAL = frozenset({ObligationStatus.DELIVERED, ObligationStatus.POSTED, ObligationStatus.CLOSED, ObligationStatus.SUBSTITUTE})
"""States in which nothing is owed any more."""


class Obligation(Base):
    """One person who is owed one notice version."""

    __tablename__ = "obligations"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    notice: Mapped[str] = mapped_column(String(60))
    version: Mapped[str] = mapped_column(String(20))
    segment_id: Mapped[int | None] = mapped_column(ForeignKey("segments.id"))
    status: Mapped[str] = mapped_column(String(10), default=ObligationStatus.PLANNED)
    because: Mapped[str] = mapped_column(String(40), default="")
    wave: Mapped[int]
    ladder: Mapped[str] = mapped_column(String(300))  # frozen: `email:12 sms:13 letter:15`, channel and contact point
    rung: Mapped[int] = mapped_column(default=0)  # how many rungs were begun
    next_at: Mapped[datetime | None]  # when the next rung begins if nothing arrives before
    sealed_reference: Mapped[str | None] = mapped_column(Text)  # as printed on every notice of this obligation
    settled_at: Mapped[datetime | None]

    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        ObligationStatus.PLANNED: frozenset({ObligationStatus.OPEN, ObligationStatus.MANUAL, ObligationStatus.CANCELLED}),
        ObligationStatus.OPEN: frozenset({ObligationStatus.MANUAL, ObligationStatus.CANCELLED, *FINAL}),
        ObligationStatus.MANUAL: frozenset({ObligationStatus.CANCELLED, *FINAL}),
        # A letter may come back, and the next rung begins or the team takes over; what arrived has arrived.
        ObligationStatus.POSTED: frozenset({ObligationStatus.OPEN, ObligationStatus.MANUAL, ObligationStatus.DELIVERED}),
    }

    __table_args__ = (
        one_of("status", ObligationStatus),
        Index("uq_obligations_owed_once", "person_id", "notice", "version", unique=True,
              sqlite_where=NOT_CANCELLED, postgresql_where=NOT_CANCELLED),
        Index("ix_obligations_campaign_id_status_next_at", "campaign_id", "status", "next_at"),
        Index("ix_obligations_campaign_id_wave", "campaign_id", "wave", "status"),
        {"sqlite_autoincrement": True},
    )  # fmt: skip


class NoticeStatus(StrEnum):
    """Where one notice is on its way."""

    PLANNED = "planned"  # waits for its turn; nothing was sent
    SUBMITTING = "submitting"  # being handed to the provider; committed before the call
    ACCEPTED = "accepted"  # the provider has it
    UNKNOWN = "unknown"  # the call broke off: sent or not, only evidence settles it
    REJECTED = "rejected"  # the provider did not take it
    FAILED = "failed"  # it did not arrive
    DELIVERED = "delivered"  # the handset, mailbox or person has it
    WITHHELD = "withheld"  # not sent by our own decision; `reason` says why
    LISTED = "listed"  # on the phone list or in a batch of letters: people do the rest
    POSTED = "posted"  # handed to the post
    CANCELLED = "cancelled"  # the campaign was cancelled first


_N = NoticeStatus
_EVIDENCE = frozenset({_N.ACCEPTED, _N.FAILED, _N.DELIVERED})


class Notice(Base):
    """One notice to one contact point by one channel."""

    __tablename__ = "notices"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    obligation_id: Mapped[int] = mapped_column(ForeignKey("obligations.id"))
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaigns.id"))
    person_id: Mapped[int] = mapped_column(ForeignKey("persons.id"))
    segment_id: Mapped[int] = mapped_column(ForeignKey("segments.id"))
    channel: Mapped[str] = mapped_column(String(10))
    contact_point_id: Mapped[int] = mapped_column(ForeignKey("contact_points.id"))
    reference: Mapped[str] = mapped_column(String(40), unique=True)  # opaque; travels with it and comes back with events
    status: Mapped[str] = mapped_column(String(10), default=NoticeStatus.PLANNED)
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    holder: Mapped[str | None] = mapped_column(String(60))  # who submits it
    lease_until: Mapped[datetime | None]
    parts: Mapped[int] = mapped_column(default=0)  # SMS segments
    text_digest: Mapped[str | None] = mapped_column(String(64))  # SHA-256 of the final text
    provider_id: Mapped[str | None] = mapped_column(String(80))
    code: Mapped[str] = mapped_column(String(20), default="")
    reason: Mapped[str] = mapped_column(String(120), default="")
    submitted_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]

    # Evidence comes in any order and late; delivered outweighs all, and nothing goes back but for another try of ours.
    MOVES: ClassVar[Mapping[str, frozenset[str]]] = {
        _N.PLANNED: frozenset({_N.SUBMITTING, _N.WITHHELD, _N.CANCELLED, _N.LISTED}),
        _N.SUBMITTING: frozenset({_N.PLANNED, _N.UNKNOWN, _N.REJECTED, *_EVIDENCE}),
        _N.UNKNOWN: frozenset({_N.PLANNED, *_EVIDENCE}),
        _N.ACCEPTED: frozenset({_N.FAILED, _N.DELIVERED}),
        _N.REJECTED: frozenset({_N.DELIVERED}),
        _N.FAILED: frozenset({_N.PLANNED, _N.DELIVERED}),
        _N.LISTED: frozenset({_N.DELIVERED, _N.FAILED, _N.POSTED, _N.WITHHELD, _N.CANCELLED}),
        _N.POSTED: frozenset({_N.FAILED, _N.DELIVERED}),
    }

    __table_args__ = (
        one_of("status", NoticeStatus),
        one_of("channel", Way),
        UniqueConstraint("obligation_id", "channel", "contact_point_id"),
        Index("ix_notices_open", "campaign_id", "channel", "segment_id", "id",
              sqlite_where=PLANNED_ONLY, postgresql_where=PLANNED_ONLY),
        Index("ix_notices_due", "campaign_id", "channel", "due_at", sqlite_where=PLANNED_ONLY, postgresql_where=PLANNED_ONLY),
        Index("ix_notices_lying", "submitted_at", "parts", "status", sqlite_where=LYING, postgresql_where=LYING),
        Index("ix_notices_lease", "lease_until", sqlite_where=PLANNED_ONLY, postgresql_where=PLANNED_ONLY),
        Index("ix_notices_campaign_id_status_settled_at", "campaign_id", "status", "settled_at"),
        Index("ix_notices_provider_id", "provider_id"),
        Index("ix_notices_contact_point_id_submitted_at", "contact_point_id", "submitted_at"),
        {"sqlite_autoincrement": True},
    )  # fmt: skip


# In the very words of the indexes of open notices: SQLite uses such an index for nothing else.
OPEN = Notice.status.in_([literal_column("'planned'"), literal_column("'submitting'")])


class KeptTemplate(Base):
    """A template as it was when a version was first submitted: what changes in the files later changes nothing that runs."""

    __tablename__ = "kept_templates"

    version: Mapped[str] = mapped_column(String(20), primary_key=True)
    name: Mapped[str] = mapped_column(String(60), primary_key=True)
    canonical: Mapped[str] = mapped_column(Text)


class NoticeAttempt(Base):
    """One call to a provider for one notice, or the end of one; only ever added."""

    __tablename__ = "notice_attempts"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"), index=True)
    campaign_id: Mapped[int] = mapped_column(Key, server_default="0")  # its notice's: the last calls of each are asked for
    channel: Mapped[str] = mapped_column(String(10), server_default=Way.EMAIL.value)
    at: Mapped[datetime]
    outcome: Mapped[str] = mapped_column(String(10))
    code: Mapped[str] = mapped_column(String(20), default="")
    provider_id: Mapped[str | None] = mapped_column(String(80))

    __table_args__ = (Index("ix_notice_attempts_campaign_id_channel_id", "campaign_id", "channel", "id"),)


class NoticeEvent(Base):
    """What a provider reported of a notice; each kind once, whatever was made of it; only ever added."""

    __tablename__ = "notice_events"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id", ondelete="CASCADE"))
    outcome: Mapped[str] = mapped_column(String(10))
    code: Mapped[str] = mapped_column(String(20), default="")
    provider_id: Mapped[str] = mapped_column(String(80), default="")
    at: Mapped[datetime]

    __table_args__ = (UniqueConstraint("notice_id", "outcome", "code", "provider_id"),)
