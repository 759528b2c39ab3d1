"""What is switched for the whole desk: closures by the weather, surge, the legal hold. Each switching is kept and in the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.base import audit
from bot.base.errors import BadInput
from bot.base.vault import Vault
from bot.desk.hours.calendar import DEFAULT_HOURS, Calendar, Hours
from bot.desk.records import DeskSwitch, Switch
from bot.desk.staff.may import require
from bot.desk.staff.roles import Permission

WEATHER = (Switch.TYPHOON, Switch.BLACK_RAIN)
LEAST_REASON, MOST_REASON = 8, 300


def is_on(session: Session, switch: Switch) -> bool:
    """Whether something is switched on now."""
    return _on(session, switch) is not None


def switched_on(session: Session) -> dict[Switch, DeskSwitch]:
    """Everything that is on now, with since when and by whom."""
    return {Switch(row.switch): row for row in session.scalars(select(DeskSwitch).where(DeskSwitch.until.is_(None)))}


def turn_on(session: Session, vault: Vault, switch: Switch, *, by: str, at: datetime, why: str = "") -> bool:
    """Switch something on; False when it was on already. `by` is an actor such as `staff:3` or `operator`.

    Raises BadInput for somebody on the staff who does not run the desk; a legal hold is the privacy officer's, with a reason.
    """
    _allowed(session, switch, by, why)
    if _on(session, switch) is not None:
        return False
    session.add(DeskSwitch(switch=switch.value, since=at, on_by=by))
    _record(session, vault, switch, "on", by, at, why)
    return True


def turn_off(session: Session, vault: Vault, switch: Switch, *, by: str, at: datetime, why: str = "") -> bool:
    """Switch something off; False when it was off already; raises BadInput as turning on does."""
    _allowed(session, switch, by, why)
    row = _on(session, switch)
    if row is None:
        return False
    row.until, row.off_by = at, by
    _record(session, vault, switch, "off", by, at, why)
    return True


def history(session: Session, limit: int = 50) -> Sequence[DeskSwitch]:
    """The latest switchings, newest first."""
    return session.scalars(select(DeskSwitch).order_by(DeskSwitch.id.desc()).limit(limit)).all()


def calendar(session: Session, at: datetime, hours: Hours = DEFAULT_HOURS) -> Calendar:
    """The calendar as it is known at a moment: a closure that has not ended stops the clock so far."""
    rows = session.scalars(select(DeskSwitch).where(DeskSwitch.switch.in_([one.value for one in WEATHER])))
    return Calendar(hours, tuple((row.since, row.until or max(row.since, at)) for row in rows))


def is_closed_by_weather(session: Session) -> bool:
    """Whether typhoon or rain keeps the desk closed now."""
    return any(is_on(session, switch) for switch in WEATHER)


def _allowed(session: Session, switch: Switch, by: str, why: str) -> None:
    if not by.startswith("staff:"):
        return
    is_hold = switch is Switch.LEGAL_HOLD
    require(session, int(by.removeprefix("staff:")), Permission.ERASE if is_hold else Permission.RUN_DESK)
    if is_hold and not LEAST_REASON <= len(why.strip()) <= MOST_REASON:
        raise BadInput(f"Say why, in {LEAST_REASON} to {MOST_REASON} characters.")


def _on(session: Session, switch: Switch) -> DeskSwitch | None:
    return session.scalars(select(DeskSwitch).where(DeskSwitch.switch == switch.value, DeskSwitch.until.is_(None))).first()


def _record(session: Session, vault: Vault, switch: Switch, to: str, by: str, at: datetime, why: str) -> None:
    session.flush()
    content = {"switch": switch.value, **({"reason": why.strip()} if why.strip() else {})}
    audit.record(session, at=at, actor=by, kind=f"desk.switched_{to}", subject="desk", content=content, vault=vault)
