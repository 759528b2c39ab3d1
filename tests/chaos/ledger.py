"""What must be true in the database whatever happened to the processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import text

from bot.base.database import Database
from bot.base.evidence import verify
from bot.base.settings import Settings
from bot.base.vault import Vault

SETTLED_S = 45.0
"""A lease that died with its process runs out after 20 seconds; then the sweeper looks every second."""


class Ledger:
    """Reads an installation's database beside its processes."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._settings = Settings(_env_file=None, _secrets_dir=home / "secrets", home=home)  # type: ignore[call-arg]
        self._database = Database(self._settings.database)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()

    def rows(self, query: str, **values: object) -> Sequence[Any]:
        """The rows of a query."""
        with self._database.reading() as session:
            return session.execute(text(query), values).all()

    def last_turn(self) -> Any:
        """The newest turn with its status, thread and attempts."""
        return self.rows("SELECT id, thread_id, status, attempts FROM turns ORDER BY id DESC LIMIT 1")[0]

    def cases_of(self, thread_id: int) -> list[tuple[str, int, str]]:
        """Reason, priority and number of each unresolved case of a thread."""
        found = self.rows("SELECT reason, priority, number FROM cases WHERE thread_id = :t AND status != 'resolved'", t=thread_id)
        return [(row.reason, row.priority, row.number) for row in found]

    def turns(self) -> int:
        """How many turns are stored."""
        return int(self.rows("SELECT count(*) AS n FROM turns")[0].n)

    def settle(self, seconds: float = SETTLED_S) -> None:
        """Wait until no turn waits for an answer and every entry of the log is sealed."""
        until_true(lambda: not self.rows("SELECT id FROM turns WHERE status = 'stored'"), "all turns are answered", seconds)
        until_true(lambda: not self.rows("SELECT id FROM audit WHERE sequence IS NULL"), "the log is sealed", seconds)

    def faults(self) -> list[str]:
        """What is wrong; nothing when no turn was lost or doubled and the proof holds."""
        counted = {
            "turns that wait": "SELECT count(*) FROM turns WHERE status = 'stored'",
            "answered turns without exactly one reply": """SELECT count(*) FROM turns t WHERE t.status IN ('answered', 'failed')
                AND (SELECT count(*) FROM replies r WHERE r.turn_id = t.id) != 1""",
            "queued turns with a reply": """SELECT count(*) FROM turns t WHERE t.status = 'queued'
                AND EXISTS (SELECT 1 FROM replies r WHERE r.turn_id = t.id)""",
            "queued or failed turns without a case": """SELECT count(*) FROM turns t WHERE t.status IN ('queued', 'failed')
                AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.thread_id = t.thread_id)""",
            "threads with two unresolved cases": """SELECT count(*) FROM (SELECT thread_id FROM cases
                WHERE status != 'resolved' GROUP BY thread_id HAVING count(*) > 1)""",
            "threads with a gap or a double in their numbers": """SELECT count(*) FROM threads th WHERE th.last_number != (
                SELECT count(DISTINCT number) FROM (SELECT thread_id, number FROM turns
                UNION ALL SELECT thread_id, number FROM replies) l WHERE l.thread_id = th.id)
                OR th.last_number != (SELECT count(*) FROM turns WHERE thread_id = th.id)
                + (SELECT count(*) FROM replies WHERE thread_id = th.id)""",
            "replies without exactly one proof": """SELECT abs((SELECT count(*) FROM replies)
                - (SELECT count(*) FROM audit WHERE kind = 'reply.said'))""",
            "cases without exactly one proof": """SELECT abs((SELECT count(*) FROM cases)
                - (SELECT count(*) FROM audit WHERE kind = 'case.opened'))""",
        }
        wrong = [f"{number} {what}" for what, query in counted.items() if (number := self.rows(query)[0][0])]
        settings = self._settings
        proof = verify(
            self._database, settings.secret("audit_keys"), self._home / "evidence", Vault(settings.secret("vault_keys"))
        )
        return wrong if proof.ok else [*wrong, f"the log: {proof.problem}"]


def until_true(question: Callable[[], object], what: str, seconds: float) -> None:
    """Ask until the answer is yes; fails naming what did not come true."""
    until = time.monotonic() + seconds
    while not question():
        assert time.monotonic() < until, f"not within {seconds} s: {what}"
        time.sleep(0.05)
