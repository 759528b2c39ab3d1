"""What was not understood, listed without private details, and the one way from there into training."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from bot.base.database import Database
from bot.base.errors import BadInput
from bot.base.settings import REPOSITORY
from bot.base.vault import Vault
from bot.cli.measuring.misses import Miss, add_example, example_of, misses
from bot.conversations.engine import Understanding
from bot.conversations.reading.safety import Lexicon
from tests.make import FakeClock
from tests.people import FakeEngine, Patient, make_inbox, publish, small_content, understood

LEXICON = Lexicon.load(REPOSITORY / "data" / "safety.yml")
PRIVATE = "why has 9123 4567 been called"


def answers(words: str) -> Understanding:
    return understood("what_happened") if "what happened" in words else understood("what_happened", 0.3, ("data_types", 0.25))


@pytest.fixture
def written(database: Database, vault: Vault, clock: FakeClock) -> list[Miss]:
    publish(database, small_content(), clock())
    patient = Patient(database, vault, make_inbox(database, vault, clock, FakeEngine(answers), LEXICON), clock)
    for words in ("what happened to you", "the thing with the list", PRIVATE):
        patient.says(words)
    with database.reading() as session:
        return list(misses(session, vault, frozenset(), 10))


def test_only_what_was_not_understood_is_listed_newest_first_and_masked(written: list[Miss]) -> None:
    assert [miss.what for miss in written] == ["handed over", "asked back"]
    assert written[1].text == "the thing with the list"
    assert "9123" not in written[0].text
    assert [topic for topic, _ in written[1].topics] == ["what_happened", "data_types"]


def test_a_turn_becomes_an_example_unless_it_holds_a_private_detail(
    written: list[Miss], database: Database, vault: Vault
) -> None:
    with database.reading() as session:
        assert example_of(session, vault, frozenset(), written[1].turn_id) == "the thing with the list"
        with pytest.raises(BadInput, match="private detail"):
            example_of(session, vault, frozenset(), written[0].turn_id)
        with pytest.raises(BadInput, match="no turn"):
            example_of(session, vault, frozenset(), 99_999)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return Path(shutil.copytree(REPOSITORY / "data", tmp_path / "data"))


@pytest.mark.parametrize("topic", ["data_types", "out_of_scope", "harmless"])
def test_an_example_stands_behind_the_others_of_its_topic_and_the_file_stays_as_it_was(data: Path, topic: str) -> None:
    before = {path: path.read_text() for path in data.rglob("*.yml")}
    changed = add_example(data, topic, "the thing: with #the list")
    assert [path for path, text in before.items() if path.read_text() != text] == [changed]
    assert set(changed.read_text().splitlines()) - set(before[changed].splitlines()) != set()
    document = yaml.safe_load(changed.read_text())
    blocks = [entry["examples"] for entry in document.get("nlu", ()) if entry["intent"] == topic] or [document["examples"]]
    assert blocks[0].splitlines()[-1] == "- the thing: with #the list"
    with pytest.raises(BadInput, match="already"):
        add_example(data, topic, "the thing: with #the list")


def test_an_unknown_topic_takes_no_example(data: Path) -> None:
    with pytest.raises(BadInput, match="no topic"):
        add_example(data, "no_such_topic", "words")
