"""Secrets and the demo publication of a first start."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.errors import Misconfigured
from bot.base.settings import SECRETS, Settings
from bot.base.vault import Vault
from bot.cli.installation import make_secrets, publish_demo, with_secrets
from bot.conversations.speaking import publication
from bot.conversations.speaking.publication import Library
from bot.conversations.threads import open_thread


@pytest.fixture
def said() -> list[str]:
    return []


def test_the_first_start_makes_secrets_for_their_owner_alone(settings: Settings, said: list[str]) -> None:
    make_secrets(settings, said.append)
    files = sorted(settings.secrets_folder.iterdir())
    assert [path.name for path in files] == sorted(f"candour_{name}" for name in SECRETS)
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    read = with_secrets(settings)
    Vault(read.secret("vault_keys"))
    assert not any(read.secret(name) in " ".join(said) for name in SECRETS)


def test_the_next_start_leaves_secrets_as_they_are(settings: Settings, said: list[str]) -> None:
    make_secrets(settings, said.append)
    before = [path.read_text() for path in sorted(settings.secrets_folder.iterdir())]
    make_secrets(with_secrets(settings), said.append)
    assert [path.read_text() for path in sorted(settings.secrets_folder.iterdir())] == before
    assert len(said) == 1


def test_keys_that_sealed_data_needs_are_never_replaced(settings: Settings, said: list[str]) -> None:
    database = Database(settings.database)
    with database.writing() as session:
        open_thread(session, channel="web", address_index="x", language="en", at=system_clock())
    database.close()
    with pytest.raises(Misconfigured, match=r"vault_keys.*bring the key files back"):
        make_secrets(settings, said.append)
    assert not settings.secrets_folder.exists()


def test_the_demo_is_published_once_and_replaces_nothing(settings: Settings, said: list[str]) -> None:
    make_secrets(settings, said.append)
    settings = with_secrets(settings)
    publish_demo(settings, said.append)
    publish_demo(settings, said.append)
    database = Database(settings.database)
    with database.reading() as session:
        assert Library().current(session, system_clock()).id == 1
        assert len(publication.history(session)) == 1
    database.close()


def test_a_part_written_secret_is_not_taken_for_one(settings: Settings, said: list[str], tmp_path: Path) -> None:
    settings.secrets_folder.mkdir()
    (settings.secrets_folder / "candour_vault_keys.part").write_text("k1:ha")
    make_secrets(settings, said.append)
    made = Vault(with_secrets(settings).secret("vault_keys"))
    assert made.open(made.seal("x", "turns.text"), "turns.text") == "x"
