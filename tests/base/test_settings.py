"""Settings: where they come from, that they are checked, and that secrets are not printed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.base.errors import Misconfigured
from bot.base.settings import REPOSITORY, SECRETS, Settings, load_settings
from bot.base.vault import new_key


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.upper().startswith("CANDOUR_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CANDOUR_HOME", str(tmp_path))


def put(folder: Path, **secrets: str) -> Path:
    """Write secret files as the first start does."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in secrets.items():
        (folder / f"candour_{name}").write_text(value + "\n")
    return folder


def test_without_anything_set_it_is_one_machine_on_loopback(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CANDOUR_HOME")
    settings = Settings(_env_file=None)
    assert settings.home == REPOSITORY / "var"
    assert settings.database == f"sqlite:///{REPOSITORY / 'var' / 'candour.sqlite3'}"
    assert settings.engine == "http://127.0.0.1:5005"
    assert settings.web_host == "127.0.0.1"


def test_every_secret_is_a_setting_and_every_setting_is_described() -> None:
    assert set(SECRETS) <= set(Settings.model_fields)
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


def test_a_variable_wins_over_the_env_file_and_that_over_a_secret_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "secrets", engine_token="from the file", vault_keys="from the file", audit_keys="from the file")
    env_file = tmp_path / ".env"
    env_file.write_text("CANDOUR_ENGINE_TOKEN=from .env\nCANDOUR_VAULT_KEYS=from .env\n")
    monkeypatch.setenv("CANDOUR_ENGINE_TOKEN", "from the variable")
    settings = load_settings(env_file)
    assert [settings.secret(name) for name in ("engine_token", "vault_keys", "audit_keys")] == [
        "from the variable",
        "from .env",
        "from the file",
    ]


@pytest.mark.parametrize("named_in", ["variable", "env file"])
def test_the_folder_of_secrets_can_be_named(named_in: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = put(tmp_path / "run-secrets", engine_token="elsewhere")
    env_file = tmp_path / ".env"
    if named_in == "variable":
        monkeypatch.setenv("CANDOUR_SECRETS_DIR", str(folder))
    else:
        env_file.write_text(f"CANDOUR_SECRETS_DIR={folder}\n")
    assert load_settings(env_file).secret("engine_token") == "elsewhere"
    assert load_settings(env_file).secrets_folder == folder


def test_a_named_folder_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDOUR_SECRETS_DIR", str(tmp_path / "gone"))
    with pytest.raises(Misconfigured, match="gone"):
        load_settings(None)


def test_before_the_first_start_there_are_no_secrets_and_that_is_no_error(tmp_path: Path) -> None:
    settings = load_settings(None)
    assert settings.secrets_folder == tmp_path / "secrets"
    with pytest.raises(Misconfigured, match="CANDOUR_VAULT_KEYS"):
        settings.secret("vault_keys")


def test_an_empty_variable_counts_as_not_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "secrets", engine_token="from the file")
    for name in ("ENGINE_TOKEN", "SECRETS_DIR", "WEB_PORT"):
        monkeypatch.setenv(f"CANDOUR_{name}", "")
    settings = load_settings(None)
    assert (settings.secret("engine_token"), settings.web_port) == ("from the file", 8080)


def test_wrong_settings_are_all_named_at_once_and_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANDOUR_WEB_PORT", "secret-word")
    monkeypatch.setenv("CANDOUR_ENGINE_TIMEOUT_S", "-1")
    with pytest.raises(Misconfigured) as caught:
        load_settings(None)
    assert "CANDOUR_WEB_PORT" in str(caught.value)
    assert "CANDOUR_ENGINE_TIMEOUT_S" in str(caught.value)
    assert "secret-word" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("WEB_PORT", "http", "CANDOUR_WEB_PORT must be a whole number."),
        ("WEB_PORT", "99999", "CANDOUR_WEB_PORT must be at most 65535."),
        ("WEB_PORT", "0", "CANDOUR_WEB_PORT must be at least 1."),
        ("ENGINE_TIMEOUT_S", "soon", "CANDOUR_ENGINE_TIMEOUT_S must be a number."),
        ("ENGINE_TIMEOUT_S", "0", "CANDOUR_ENGINE_TIMEOUT_S must be more than 0.0."),
        ("DEMO", "perhaps", "CANDOUR_DEMO must be true or false."),
        ("CODE_COUNTRIES", "HK", "CANDOUR_CODE_COUNTRIES must be country codes with commas between, such as 852,853,86."),
        ("WHATSAPP_TEMPLATES", "en", "CANDOUR_WHATSAPP_TEMPLATES must hold languages with a content id each"),
    ],
)
def test_a_wrong_setting_is_said_in_our_words(name: str, value: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CANDOUR_{name}", value)
    with pytest.raises(Misconfigured) as caught:
        load_settings(None)
    assert str(caught.value).startswith(f"Settings are wrong: {words}")


def test_a_secret_file_that_is_no_text_is_said_in_words(tmp_path: Path) -> None:
    put(tmp_path / "secrets")
    (tmp_path / "secrets" / "candour_vault_keys").write_bytes(b"\xff\xfe\x00secret-word")
    with pytest.raises(Misconfigured) as caught:
        load_settings(None)
    assert "secret-word" not in str(caught.value)


def test_neither_keys_nor_addresses_with_passwords_are_printed(tmp_path: Path) -> None:
    key = new_key("v1")
    secret = "pass-word-in-address"
    put(tmp_path / "secrets", vault_keys=key, index_keys=key, audit_keys=key, engine_token=secret)
    settings = load_settings(None).model_copy(
        update={"database_url": f"postgresql://candour:{secret}@db/candour", "huey_url": f"postgresql://candour:{secret}@db/huey"}
    )
    printed = f"{settings} {settings!r}"
    assert secret not in printed
    assert key.partition(":")[2] not in printed


def test_a_relative_home_is_the_same_folder_for_every_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CANDOUR_HOME", "state")
    assert load_settings(None).home == tmp_path / "state"
