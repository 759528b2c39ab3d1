"""Where evidence stands in the console, and for whom."""

from __future__ import annotations

from typing import Annotated

from bot.desk.staff.roles import Permission
from bot.web.console.answers import console_router
from bot.web.console.door import Staff, requires
from bot.web.console.rendering import Entry

router = console_router()
HOME = "/desk/evidence"
ENTRY = Entry("evidence", HOME, Permission.EXPORT, 65, "v", "records")

Officer = Annotated[Staff, requires(Permission.EXPORT)]
