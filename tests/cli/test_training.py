"""What a model depends on, and what it does not."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from bot.base.errors import BadInput
from bot.base.settings import REPOSITORY
from bot.cli.training import material, taking_part

TOPIC = "faq/what_happened.yml"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """The repository's data, to be changed."""
    shutil.copytree(REPOSITORY / "data", tmp_path / "data")
    return tmp_path / "data"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """What else training reads."""
    (tmp_path / "repository" / "data").mkdir(parents=True)
    for name in ("engine", "requirements"):
        shutil.copytree(REPOSITORY / name, tmp_path / "repository" / name)
    for name in ("config.yml", "data/han.json"):
        shutil.copy(REPOSITORY / name, tmp_path / "repository" / name)
    return tmp_path / "repository"


def change(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_a_changed_sentence_trains_nothing(data: Path) -> None:
    before = material(data).digest
    path = data / TOPIC
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    document["answers"]["what_happened"]["en"]["text"] = "Another sentence."
    path.write_text(yaml.safe_dump(document, allow_unicode=True, sort_keys=False), encoding="utf-8")
    assert material(data).digest == before


def test_a_changed_fact_trains_nothing(data: Path) -> None:
    before = material(data).digest
    change(data / "incident.yml", "Larkmoor", "Hollybank")
    assert material(data).digest == before


def test_a_new_example_trains(data: Path) -> None:
    before = material(data).digest
    change(data / TOPIC, "examples: |\n", "examples: |\n    - an example that nobody thought of\n")
    assert material(data).digest != before


def test_another_configuration_trains(data: Path, repository: Path) -> None:
    before = material(data, repository).digest
    with (repository / "config.yml").open("a") as config:
        config.write("\n# changed\n")
    assert material(data, repository).digest != before


def test_the_module_that_understands_takes_part_and_the_door_does_not(data: Path, repository: Path) -> None:
    names = {path.name for path in taking_part(repository)}
    assert {"train.py", "understanding.py", "judge.py", "ridge.py"} <= names
    before = material(data, repository).digest
    for name, same in (("door.py", True), ("understanding.py", False), ("mind/ridge.py", False)):
        with (repository / "engine" / name).open("a") as module:
            module.write("\n# changed\n")
        after = material(data, repository).digest
        assert (after == before) is same
        before = after


def test_examples_pass_the_guard_that_turns_pass(data: Path) -> None:
    change(data / TOPIC, "examples: |\n", "examples: |\n    - call me on 9123 4567 please\n")
    prepared = yaml.safe_load(material(data).files[TOPIC])
    examples = prepared["nlu"][0]["examples"].splitlines()
    assert examples[0] == "- call me on ⟦phone⟧ please"


def test_what_is_prepared_holds_no_wording(data: Path) -> None:
    files = material(data).files
    assert {"domain.yml", "config.yml", TOPIC} <= files.keys()
    assert [name for name, content in files.items() if b"\nanswers:" in content] == []


def test_a_file_that_is_no_yaml_is_named(data: Path) -> None:
    (data / TOPIC).write_text("nlu: [", encoding="utf-8")
    with pytest.raises(BadInput, match=r"what_happened\.yml"):
        material(data)
