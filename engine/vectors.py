"""Sentence vectors of training examples, kept on disk by digest so that re-training is quick.

Only examples from the repository pass here; what patients write is never stored.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

FOLDER_VARIABLE = "CANDOUR_VECTORS"
DANGER_VARIABLE = "CANDOUR_DANGER"  # the folder with examples of danger, which Rasa does not read

KEPT = 60_000
"""Vectors kept of each encoder: some 100 MB, and several times the examples there are."""

Vectors: TypeAlias = npt.NDArray[np.float32]


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _read(path: Path) -> dict[str, Vectors]:
    try:
        with np.load(path, allow_pickle=False) as stored:
            return dict(zip(stored["digests"].tolist(), stored["vectors"], strict=True))
    except (OSError, ValueError, KeyError, EOFError):
        return {}  # no store yet, or a damaged one: it is only a saving of time


def _write(path: Path, digests: list[str], vectors: Vectors) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    with part.open("wb") as out:
        np.savez(out, digests=np.array(digests), vectors=vectors)
    part.replace(path)


def remembered(texts: Sequence[str], encode: Callable[[list[str]], Vectors], *, maker: str) -> Vectors:
    """Vectors of the texts, encoding only those not stored; `maker` names encoder and version.

    Without a folder in the environment nothing is stored.
    """
    folder = os.environ.get(FOLDER_VARIABLE)
    path = Path(folder) / f"{maker}.npz" if folder else None
    known = _read(path) if path else {}
    digests = [_digest(text) for text in texts]
    wanted = dict(zip(digests, texts, strict=True))
    missing = [digest for digest in wanted if digest not in known]
    if missing:
        known.update(zip(missing, encode([wanted[digest] for digest in missing]), strict=True))
        if path:
            # Examples come and go between trainings, and several trainings may share a folder: the oldest leave last.
            kept = list(known)[-KEPT:]
            _write(path, kept, np.stack([known[digest] for digest in kept]))
    return np.stack([known[digest] for digest in digests])
