"""Whether somebody may do what they are about to do: asked where it is done, whatever page or door it came through."""

from __future__ import annotations

from sqlalchemy.orm import Session

from bot.base.errors import BadInput
from bot.desk.staff.models import AccountStatus, StaffAccount
from bot.desk.staff.roles import Permission, permitted


def may(session: Session, staff_id: int, permission: Permission) -> bool:
    """Whether an account is active and has the permission at this moment."""
    account = session.get(StaffAccount, staff_id)
    return account is not None and account.status == AccountStatus.ACTIVE and permission in permitted(account.roles)


def require(session: Session, staff_id: int, permission: Permission) -> None:
    """Raise BadInput unless the account is active and has the permission at this moment."""
    if not may(session, staff_id, permission):
        raise BadInput("Your role does not allow this.")
