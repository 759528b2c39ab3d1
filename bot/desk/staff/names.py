"""What colleagues are called on each other's pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.base.vault import Vault
from bot.desk.staff.accounts import everybody, profile_of
from bot.desk.staff.models import AccountStatus
from bot.desk.staff.roles import Permission, permitted


@dataclass(frozen=True, repr=False)
class Colleague:
    """Somebody of the team as others see them."""

    id: int
    name: str
    roles: tuple[str, ...]
    on_duty: bool
    is_active: bool

    def may(self, permission: Permission) -> bool:
        """Whether their role permits something."""
        return permission in permitted(self.roles)


def colleagues(session: Session, vault: Vault) -> Mapping[int, Colleague]:
    """Everybody by number, also those who left: what they did stays."""
    return {
        one.id: Colleague(one.id, profile_of(one, vault).name, tuple(one.roles), one.on_duty, one.status == AccountStatus.ACTIVE)
        for one in everybody(session)
    }
