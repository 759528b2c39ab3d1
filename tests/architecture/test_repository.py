"""What must never stand in the repository's files."""

from __future__ import annotations

import re

from tests.architecture.source import ROOT, tracked

# In pieces, so that this file does not find itself.
PATHS = ["/" + "work/", "/" + "root/", "/" + "opt/wheels", "/" + "opt/pypi", "/home/" + "user"]
HOSTS = ["pypi" + ".org", "python" + "hosted", "npm" + "js.org", "deb." + "debian"]
LOCKS = ["app.txt", "test.txt", "engine.txt", "stock.txt"]


def test_no_file_names_a_machine_path_or_a_package_registry() -> None:
    wrong = []
    for path in tracked():
        text = path.read_bytes()
        wrong += [(path.relative_to(ROOT).as_posix(), word) for word in [*PATHS, *HOSTS] if word.encode() in text]
    assert not wrong


def test_lock_files_hold_versions_and_hashes_and_no_address() -> None:
    for name in LOCKS:
        text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
        assert "://" not in text
        assert not re.search(r"^-", text, re.MULTILINE), f"{name} holds an option"
        for requirement in re.findall(r"(?m)^[A-Za-z0-9][^#]*?(?=^[A-Za-z0-9#]|\Z)", text):
            assert "==" in requirement
            assert "--hash=sha256:" in requirement


def test_the_launcher_may_be_executed() -> None:
    assert (ROOT / "candour").stat().st_mode & 0o111


def test_every_direct_dependency_is_explained() -> None:
    reasons = (ROOT / "docs" / "decisions" / "0010-direct-dependencies.md").read_text(encoding="utf-8")
    lines = [line for name in ("app.in", "test.in") for line in (ROOT / "requirements" / name).read_text().splitlines()]
    names = [line.split("[")[0] for line in lines if line and not line.startswith(("#", "-"))]
    assert [name for name in names if f"`{name}`" not in reasons] == []
