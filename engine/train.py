"""Trains a model from one folder of data into one file, or fails with a sentence.

Reads `domain.yml` and all of `faq/` and `flows/` in the folder, and hands `danger/` to the component
that learns about danger; other files there (facts, the lexicon, samples) are ours and not for Rasa.
The file appears whole or not at all. Exit status: 1 the data is wrong, 2 the command line is.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import shutil
import sys
import tempfile
from pathlib import Path

import yaml

from engine.ground import complain, prepare
from engine.quiet import hush
from engine.vectors import DANGER_VARIABLE, FOLDER_VARIABLE

STEPS = ("gathering", "loading Rasa", "training", "storing")


def step(number: int) -> None:
    """One line of progress on standard output: `step 2/4 loading Rasa`."""
    sys.stdout.write(f"step {number}/{len(STEPS)} {STEPS[number - 1]}\n")
    sys.stdout.flush()


def gather(data: Path, into: Path) -> int:
    """Copy what is for Rasa; returns the number of files and raises ValueError without topics."""
    topics = sorted([*data.glob("faq/**/*.yml"), *data.glob("flows/**/*.yml")])
    if not topics:
        raise ValueError(f"no topics in {data.name}/faq or {data.name}/flows")
    for path in [data / "domain.yml", *topics]:
        if not path.is_file():
            raise ValueError(f"{path.name} is missing in {data.name}")
        _whole(path)
        target = into / path.relative_to(data)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    return len(topics)


def _whole(path: Path) -> None:
    """Raise ValueError for a file that is no mapping: Rasa would pass over it without a word."""
    try:
        read = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise ValueError(f"{path.name} is not YAML: {error}") from None
    if not isinstance(read, dict):
        raise ValueError(f"{path.name} holds no mapping")


def train(data: Path, config: Path, out: Path) -> None:
    """Train and store; raises whatever Rasa raises, and ValueError when it only complains."""
    with tempfile.TemporaryDirectory(prefix="candour-train-") as folder:
        work = Path(folder)
        step(1)
        gather(data, work / "data")
        # Rasa writes into the configuration it is given when it finds something to add.
        shutil.copyfile(config, work / "config.yml")
        step(2)
        from rasa.model_training import train as rasa_train

        step(3)
        with contextlib.redirect_stdout(io.StringIO()):
            result = rasa_train(
                domain=str(work / "data"),
                config=str(work / "config.yml"),
                training_files=[str(work / "data")],
                output=str(work / "models"),
                force_training=True,
                fixed_model_name="model",
            )
        if result.code != 0 or result.model is None:
            raise ValueError("Rasa made no model of the data")
        step(4)
        out.parent.mkdir(parents=True, exist_ok=True)
        part = out.with_name(f".{out.name}.{os.getpid()}.part")
        shutil.copyfile(result.model, part)
        part.replace(out)


def main(given: list[str] | None = None) -> int:
    """Train as the command line says."""
    parser = argparse.ArgumentParser(prog="engine.train", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder with domain.yml and faq/")
    parser.add_argument("--out", type=Path, required=True, help="the model file, *.tar.gz")
    parser.add_argument("--config", type=Path, default=Path("config.yml"))
    parser.add_argument("--cache", type=Path, help="folder of sentence vectors, to train quickly")
    parser.add_argument("--level", default="WARNING")
    asked = parser.parse_args(given)
    cache = asked.cache or asked.data.resolve().parent / "vectors"
    os.environ[FOLDER_VARIABLE] = str(cache.resolve())
    os.environ[DANGER_VARIABLE] = str((asked.data / "danger").resolve())
    # Rasa draws progress bars by the thousand unless this says that nobody looks.
    os.environ["LOG_LEVEL"] = "ERROR"
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "2")  # the factorizations are large, unlike the products of a turn
    hush(asked.level)
    prepare()
    try:
        train(asked.data, asked.config, asked.out)
    except Exception as error:  # the data is the repository's, so its words may be shown
        told = " ".join(str(error).split())[:600]
        complain(f"Training failed: {type(error).__name__}: {told}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
