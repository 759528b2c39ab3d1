"""A patient's turn as a channel read it becomes a stored turn on that patient's line."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.base.languages import Language, identify
from bot.base.vault import BlindIndex, Vault
from bot.channels import letters
from bot.channels.base import HookKind, Incoming, line
from bot.conversations import threads
from bot.conversations.models import Thread, Turn
from bot.conversations.reading import guard
from bot.conversations.transcript import TURN_TEXT

KINDS = frozenset({HookKind.TWILIO_MESSAGES, HookKind.SENDGRID_INBOUND})
ADDRESS = "threads.address"
LETTER = "turns.letter"
LINE = "line"
PER_HOUR = {"email": 20, "sms": 60, "whatsapp": 120}
"""Turns an hour on one line after which a machine is believed to write (`mail loops`); the rest are kept and not answered."""
TOO_MANY = "too_many"
TEXT_MOST = 200_000


def take_in(
    session: Session, vault: Vault, index: BlindIndex, incoming: Incoming, *, received_at: datetime, is_urgent: bool = False
) -> tuple[int | None, str]:
    """Store the turn on its line, which is opened when it is new; an urgent one however many came before it.

    Returns the thread to answer and nothing, or why the turn was not stored: with its thread when there were too many.
    """
    if incoming.automatic:
        return None, incoming.automatic
    thread = _line(session, vault, index, incoming, received_at)
    if not is_urgent and _too_many(session, thread, incoming, received_at):
        return thread.id, TOO_MANY
    turn, is_new = threads.store_turn(
        session,
        thread.id,
        external_id=incoming.external_id,
        sealed_text=vault.seal(incoming.text[:TEXT_MOST], TURN_TEXT),
        choice=None,
        at=received_at,
    )
    if not is_new:
        return None, "repeat"
    turn.attached = incoming.attached[:20] or None
    turn.keyword = incoming.keyword[:10] or None
    turn.sealed_letter = vault.seal(json.dumps(_letter(incoming)), LETTER) if incoming.letter else None
    return thread.id, ""


def known(session: Session, index: BlindIndex, incoming: Incoming) -> Thread | None:
    """The line of whoever wrote this, if they have written before."""
    return threads.find_thread(session, index.every(LINE, line(incoming.channel, incoming.own, incoming.their)))


def _line(session: Session, vault: Vault, index: BlindIndex, incoming: Incoming, at: datetime) -> Thread:
    address = line(incoming.channel, incoming.own, incoming.their)
    thread = known(session, index, incoming)
    if thread is None:
        language = identify(incoming.text, Language.EN) or Language.EN
        thread = threads.open_thread(
            session, channel=incoming.channel, address_index=index.index(LINE, address), language=language.value, at=at
        )
        thread.own_address = incoming.own
        thread.sealed_address = vault.seal(incoming.their, ADDRESS)
    return thread


def _letter(incoming: Incoming) -> dict[str, str]:
    # The subject goes back over open mail servers: what the guard hides from the engine is hidden there too.
    subject = guard.clean(incoming.letter.get("subject", "")).text
    return {**incoming.letter, "subject": subject}


def _too_many(session: Session, thread: Thread, incoming: Incoming, at: datetime) -> bool:
    most = PER_HOUR.get(thread.channel)
    if most is None:
        return False
    # Two automatic senders that answer for each other have a line each, but one conversation.
    earlier = [letters.turn_id(one) for one in incoming.letter.get("references", "").split()]
    linked = select(Turn.thread_id).join(Thread).where(Turn.external_id.in_(earlier), Thread.channel == thread.channel)
    lines = {thread.id, *(session.scalars(linked) if earlier else ())}
    hour = select(func.count()).where(Turn.thread_id.in_(lines), Turn.received_at > at - timedelta(hours=1))
    return (session.scalar(hour) or 0) >= most
