"""Training makes a whole model or none, and the rules and stories of the data hold."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.engine.running import ROOT, run

pytestmark = pytest.mark.engine


FEW = ("faq/data_types.yml", "faq/self_harm.yml", "faq/what_happened.yml", "flows/speak_human.yml", "domain.yml")


def copied(into: Path) -> Path:
    """A copy of some of the repository's data to spoil; all of it would train for a minute."""
    data = into / "data"
    for name in FEW:
        (data / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / "data" / name, data / name)
    return data


def trained(data: Path, out: Path) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of a training."""
    done = run("train", "--data", str(data), "--out", str(out), "--cache", str(out.parent / "vectors"))
    return done.returncode, done.stdout, done.stderr


def test_training_tells_its_steps_and_leaves_one_file(tmp_path: Path) -> None:
    out = tmp_path / "models" / "model.tar.gz"
    status, told, _ = trained(copied(tmp_path), out)
    assert status == 0
    assert [line.split()[1] for line in told.splitlines()] == ["1/4", "2/4", "3/4", "4/4"]
    assert [path.name for path in out.parent.iterdir() if path.is_file()] == ["model.tar.gz"]


@pytest.mark.parametrize("kind", ["no topics", "no domain", "broken YAML", "contradicting rules", "unknown action"])
def test_training_on_wrong_data_fails_and_leaves_nothing(kind: str, tmp_path: Path) -> None:
    data = copied(tmp_path)
    topic = data / "faq" / "data_types.yml"
    if kind == "no topics":
        shutil.rmtree(data / "faq")
        shutil.rmtree(data / "flows")
    elif kind == "no domain":
        (data / "domain.yml").unlink()
    elif kind == "broken YAML":
        topic.write_text("intents: [unclosed")
    elif kind == "contradicting rules":
        rule = "\n- rule: another\n  steps:\n  - intent: data_types\n  - action: action_hand_over\n"
        topic.write_text(topic.read_text().replace("\nrules:\n", f"\nrules:{rule}"))
    else:
        topic.write_text(topic.read_text().replace("- action: utter_data_types", "- action: action_unheard_of"))
    out = tmp_path / "models" / "model.tar.gz"
    status, _, said = trained(data, out)
    assert status == 1
    assert said.splitlines()[-1].startswith("Training failed: ")
    assert not out.exists()


def test_rasa_finds_nothing_wrong_with_the_data(tmp_path: Path) -> None:
    given = ["--data", "data/faq", "data/flows", "--domain", "data", "--config", "config.yml"]
    done = run("rasa", "data", "validate", "--fail-on-warnings", *given)
    assert done.returncode == 0, done.stdout + done.stderr


def test_rasa_finds_what_is_wrong_with_spoilt_data(tmp_path: Path) -> None:
    data = copied(tmp_path)
    topic = data / "faq" / "data_types.yml"
    topic.write_text(topic.read_text().replace("- action: utter_data_types", "- action: utter_nowhere"))
    given = ["--data", str(data / "faq"), str(data / "flows"), "--domain", str(data), "--config", "config.yml"]
    assert run("rasa", "data", "validate", "--fail-on-warnings", *given).returncode != 0


def test_the_stories_come_out_as_written(model: Path, tmp_path: Path) -> None:
    done = stories(model, ROOT / "tests" / "conversations", tmp_path)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]


def test_a_story_that_is_wrong_is_noticed(model: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "stories"
    wrong.mkdir()
    (wrong / "test_wrong.yml").write_text(
        'version: "3.1"\nstories:\n- story: wrong\n  steps:\n'
        "  - user: |\n      what happened?\n    intent: what_happened\n  - action: utter_self_harm\n"
    )
    assert stories(model, wrong, tmp_path).returncode == 1


def stories(model: Path, folder: Path, out: Path):  # type: ignore[no-untyped-def]  # what `run` returns
    """Rasa's own test of stories, end to end."""
    return run(
        "rasa",
        *["test", "core", "--e2e", "--fail-on-prediction-errors", "--no-plot"],
        *["-s", str(folder), "-m", str(model), "--endpoints", "endpoints.yml", "--out", str(out / "report")],
    )
