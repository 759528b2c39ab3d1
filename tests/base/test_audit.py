"""The sealed log: what an attacker with the database, but without the key, can and cannot do."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.base import audit
from bot.base.audit import AuditEntry
from bot.base.database import Database
from bot.base.evidence import verify
from bot.base.schema import REPOSITORY
from bot.base.vault import Vault, new_key
from tests.conftest import Keys
from tests.make import START, FakeClock


def write(database: Database, vault: Vault, count: int, subject: str = "thread:1") -> None:
    """Record some entries, each in a transaction of its own."""
    for number in range(count):
        with database.writing() as session:
            audit.record(
                session,
                at=START,
                actor="bot",
                kind="reply.stored",
                subject=subject,
                content={"say": ["what_happened"], "n": number},
                vault=vault,
            )


@pytest.fixture
def sealed(database: Database, vault: Vault, keys: Keys) -> Database:
    """A log of ten sealed entries."""
    write(database, vault, 10)
    assert audit.seal(database, keys.audit, START) == 10
    return database


def change(database: Database, statement: str) -> None:
    """What an attacker with the database's password does."""
    with database.writing() as session:
        session.execute(sa.text(statement))


def test_an_untouched_log_is_found_in_order(sealed: Database, keys: Keys, vault: Vault) -> None:
    verdict = verify(sealed, keys.audit, vault=vault)
    assert (verdict.ok, verdict.entries, verdict.unsealed, verdict.problem) == (True, 10, 0, "")


def test_an_empty_log_is_in_order_and_has_no_head(database: Database, keys: Keys, tmp_path: Path) -> None:
    assert audit.seal(database, keys.audit, START) == 0
    assert verify(database, keys.audit).ok
    assert audit.export_head(database, tmp_path / "evidence", START) is None


def test_an_entry_lives_and_dies_with_the_transaction_it_describes(database: Database, keys: Keys, vault: Vault) -> None:
    with contextlib.suppress(ZeroDivisionError), database.writing() as session:
        audit.record(session, at=START, actor="bot", kind="k", subject="s", content={}, vault=vault)
        session.flush()
        raise ZeroDivisionError
    assert audit.seal(database, keys.audit, START) == 0


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE audit SET actor = 'staff:7' WHERE sequence = 4",
        "UPDATE audit SET kind = 'other' WHERE sequence = 4",
        "UPDATE audit SET subject = 'thread:2' WHERE sequence = 4",
        "UPDATE audit SET commitment = (SELECT commitment FROM audit WHERE sequence = 5) WHERE sequence = 4",
        "UPDATE audit SET at = sealed_at, sealed_at = '2023-05-10 01:00:00' WHERE sequence = 4",
        "UPDATE audit SET mac = (SELECT mac FROM audit WHERE sequence = 5) WHERE sequence = 4",
        "UPDATE audit SET key_id = 'other' WHERE sequence = 4",
        "UPDATE audit SET id = 4000 WHERE sequence = 4",
        "DELETE FROM audit WHERE sequence = 4",
    ],
)
def test_a_change_or_a_deletion_in_the_middle_shows_where_it_is(sealed: Database, keys: Keys, attack: str) -> None:
    change(sealed, attack)
    verdict = verify(sealed, keys.audit)
    assert (verdict.ok, verdict.first_broken) == (False, 4), verdict.problem


def test_a_changed_content_shows_to_who_has_the_vault(sealed: Database, keys: Keys, vault: Vault) -> None:
    forged = vault.seal("0" * 32 + "{}", audit.CONTEXT)  # even made with the vault's own key
    change(sealed, f"UPDATE audit SET sealed_content = '{forged}' WHERE sequence = 4")
    assert verify(sealed, keys.audit, vault=vault).first_broken == 4


def test_swapped_contents_show(sealed: Database, keys: Keys, vault: Vault) -> None:
    change(
        sealed,
        "UPDATE audit SET sealed_content ="
        " (SELECT other.sealed_content FROM audit other WHERE other.sequence = 11 - audit.sequence)"
        " WHERE sequence IN (4, 7)",
    )
    assert verify(sealed, keys.audit, vault=vault).first_broken == 4


def test_swapped_entries_show(sealed: Database, keys: Keys) -> None:
    change(sealed, "UPDATE audit SET sequence = -sequence WHERE sequence IN (4, 5)")
    change(sealed, "UPDATE audit SET sequence = 9 + sequence WHERE sequence < 0")
    assert verify(sealed, keys.audit).first_broken == 4


@pytest.mark.parametrize("sequence", [0, -3, 11])
def test_an_inserted_entry_shows(sealed: Database, keys: Keys, sequence: int) -> None:
    change(
        sealed,
        "INSERT INTO audit (at, actor, kind, subject, commitment, sequence, sealed_at, key_id, mac)"
        f" SELECT at, actor, kind, subject, commitment, {sequence}, sealed_at, key_id, mac FROM audit WHERE sequence = 10",
    )
    assert not verify(sealed, keys.audit).ok


def test_two_entries_cannot_have_one_number(sealed: Database) -> None:
    with pytest.raises(sa.exc.IntegrityError):
        change(sealed, "UPDATE audit SET sequence = 5 WHERE sequence = 4")


def test_a_cut_off_end_shows_by_the_exported_head(sealed: Database, keys: Keys, tmp_path: Path) -> None:
    assert audit.export_head(sealed, tmp_path, START) == tmp_path / "head-2023-05-09.json"
    change(sealed, "DELETE FROM audit WHERE sequence > 8")
    assert verify(sealed, keys.audit).ok  # the chain alone cannot know
    verdict = verify(sealed, keys.audit, heads=tmp_path)
    assert (verdict.ok, verdict.first_broken) == (False, 9)
    assert "cut off" in verdict.problem


def test_an_end_that_was_cut_and_grew_again_shows_too(sealed: Database, keys: Keys, vault: Vault, tmp_path: Path) -> None:
    audit.export_head(sealed, tmp_path, START)
    change(sealed, "DELETE FROM audit WHERE sequence > 8")
    write(sealed, vault, 5)
    audit.seal(sealed, keys.audit, START)
    assert verify(sealed, keys.audit).ok
    assert verify(sealed, keys.audit, heads=tmp_path).first_broken == 10


def test_the_head_is_exported_once_per_day_of_hong_kong_and_never_replaced(
    sealed: Database, keys: Keys, vault: Vault, tmp_path: Path, clock: FakeClock
) -> None:
    folder = tmp_path / "evidence"
    first = audit.export_head(sealed, folder, clock())
    assert first is not None
    before = first.read_text()
    write(sealed, vault, 3)
    audit.seal(sealed, keys.audit, clock())
    assert audit.export_head(sealed, folder, clock.advance(hours=14)) is None
    assert first.read_text() == before
    second = audit.export_head(sealed, folder, clock.advance(hours=1))  # midnight in Hong Kong, still the same day in UTC
    assert second is not None
    assert second.name == "head-2023-05-10.json"
    assert verify(sealed, keys.audit, heads=folder).ok
    assert sorted(path.name for path in folder.iterdir()) == ["head-2023-05-09.json", "head-2023-05-10.json"]


def test_another_key_under_the_same_name_does_not_verify(sealed: Database) -> None:
    assert verify(sealed, new_key("a1")).first_broken == 1


def test_a_missing_key_is_named_as_such(sealed: Database) -> None:
    assert "not in the ring" in verify(sealed, new_key("a2")).problem


def test_the_chain_goes_on_under_a_new_key(sealed: Database, keys: Keys, vault: Vault) -> None:
    rotated = f"{new_key('a2')},{keys.audit}"
    write(sealed, vault, 3)
    audit.seal(sealed, rotated, START)
    verdict = verify(sealed, rotated)
    assert (verdict.ok, verdict.entries) == (True, 13)
    assert verify(sealed, keys.audit).first_broken == 11


def test_the_content_can_be_sealed_anew_under_a_new_vault_key(sealed: Database, keys: Keys, vault: Vault) -> None:
    newer = Vault(f"{new_key('v2')},{keys.vault}")
    with sealed.writing() as session:
        for entry in session.scalars(sa.select(AuditEntry)):
            entry.sealed_content = newer.seal(newer.open(str(entry.sealed_content), audit.CONTEXT), audit.CONTEXT)
    assert verify(sealed, keys.audit, vault=newer).ok


def test_erasing_keeps_the_proof_and_leaves_nothing_to_guess_at(sealed: Database, keys: Keys, vault: Vault) -> None:
    write(sealed, vault, 2, subject="thread:2")
    with sealed.writing() as session:
        assert audit.erase(session, "thread:1", at=START, actor="staff:3", vault=vault) == 10
    audit.seal(sealed, keys.audit, START)
    verdict = verify(sealed, keys.audit, vault=vault)
    assert (verdict.ok, verdict.entries, verdict.erased) == (True, 13, 10)
    with sealed.reading() as session:
        entries = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [entry.sealed_content for entry in entries[:10]] == [None] * 10
    assert audit.content_of(entries[0], vault) is None
    assert audit.content_of(entries[10], vault) == {"say": ["what_happened"], "n": 0}
    # The salt went with the content: equal contents had different commitments.
    assert len({entry.commitment for entry in entries}) == 13


def test_an_erasure_that_nobody_recorded_shows(sealed: Database, keys: Keys) -> None:
    change(sealed, "UPDATE audit SET sealed_content = NULL WHERE sequence = 4")
    verdict = verify(sealed, keys.audit)
    assert not verdict.ok
    assert "no erasure is recorded" in verdict.problem


def test_nothing_of_the_content_stands_in_the_clear(sealed: Database) -> None:
    with sealed.reading() as session:
        rows = session.execute(sa.text("SELECT * FROM audit")).all()
    assert rows
    assert [row for row in rows if "what_happened" in str(row)] == []


def test_a_row_that_commits_late_gets_the_next_number_and_moves_no_other(postgres_url: str, keys: Keys, vault: Vault) -> None:
    database = Database(postgres_url)
    late = database.writing()
    session = late.__enter__()
    audit.record(session, at=START, actor="bot", kind="late", subject="s", content={}, vault=vault)
    session.flush()  # it has the smaller id and is not committed yet
    thread = threading.Thread(target=write, args=(database, vault, 3))
    thread.start()
    thread.join()
    assert audit_elsewhere(lambda: audit.seal(database, keys.audit, START)) == 3
    late.__exit__(None, None, None)
    assert audit.seal(database, keys.audit, START) == 1
    assert verify(database, keys.audit).ok
    with database.reading() as reader:
        kinds = reader.execute(sa.select(AuditEntry.id, AuditEntry.kind).order_by(AuditEntry.sequence)).all()
    assert kinds[-1] == (1, "late")
    database.close()


def audit_elsewhere(work: Callable[[], int]) -> int:
    """Run in another thread: this one holds a write transaction."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(work()))
    thread.start()
    thread.join()
    return found[0]


SEALER = """
import sys, time
from datetime import UTC, datetime
from bot.base import audit
from bot.base.database import Database
database = Database(sys.argv[1])
audit.BATCH = 20  # many short races instead of one
total = 0
deadline = time.monotonic() + 10
while time.monotonic() < deadline:
    found = audit.seal(database, sys.argv[2], datetime.now(UTC))
    total += found
    with database.reading() as session:
        if session.connection().exec_driver_sql("SELECT count(*) FROM audit WHERE sequence IS NULL").scalar() == 0:
            break
print(total)
"""


def test_sealers_in_three_processes_at_once_number_every_row_once(
    database: Database, database_url: str, keys: Keys, vault: Vault
) -> None:
    with database.writing() as session:
        for number in range(600):
            audit.record(session, at=START, actor="bot", kind="k", subject="s", content={"n": number}, vault=vault)
    command = [sys.executable, "-c", SEALER, database_url, keys.audit]
    sealers = [subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE) for _ in range(3)]
    counts = [int(sealer.communicate()[0]) for sealer in sealers]
    assert sum(counts) == 600
    verdict = verify(database, keys.audit, vault=vault)
    assert (verdict.ok, verdict.entries, verdict.unsealed) == (True, 600, 0), verdict.problem


def test_a_backlog_is_sealed_in_several_short_transactions(database: Database, keys: Keys, vault: Vault) -> None:
    with database.writing() as session:
        for number in range(audit.BATCH + 5):
            audit.record(session, at=START, actor="bot", kind="k", subject="s", content={"n": number}, vault=vault)
    assert audit.seal(database, keys.audit, START) == audit.BATCH + 5
    assert verify(database, keys.audit).entries == audit.BATCH + 5


FIELDS = ["actor", "kind", "subject", "commitment", "mac", "key_id"]


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sequence=st.integers(1, 10), field=st.sampled_from(FIELDS), value=st.text("abcdef0123456789:", min_size=1, max_size=12))
def test_any_change_of_any_field_of_any_row_shows(
    sequence: int, field: str, value: str, sqlite_url: str, keys: Keys, vault: Vault
) -> None:
    database = Database(sqlite_url)
    with database.writing() as session:
        session.execute(sa.delete(AuditEntry))
    write(database, vault, 10)
    audit.seal(database, keys.audit, START)
    with database.writing() as session:
        entry = session.scalars(sa.select(AuditEntry).where(AuditEntry.sequence == sequence)).one()
        same = getattr(entry, field) == value
        setattr(entry, field, value)
    verdict = verify(database, keys.audit)
    assert verdict.ok is same
    assert same or verdict.first_broken == sequence
    database.close()


def test_content_must_be_plain_json(database: Database, vault: Vault) -> None:
    with pytest.raises(ValueError), database.writing() as session:
        audit.record(session, at=START, actor="bot", kind="k", subject="s", content={"x": float("nan")}, vault=vault)
