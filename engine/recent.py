"""A mapping that remembers only the recent: at most so many entries, none older than so long."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Kept = TypeVar("Kept")


class Recent(Generic[Kept]):
    """Keeps what was touched last; the clock counts seconds and never runs backwards."""

    def __init__(self, *, most: int, seconds: float, clock: Callable[[], float]) -> None:
        if most < 1 or seconds <= 0:
            raise ValueError("a memory needs room for one entry and some time to keep it")
        self._most, self._seconds, self._clock = most, seconds, clock
        self._entries: OrderedDict[str, tuple[float, Kept]] = OrderedDict()

    def put(self, key: str, kept: Kept) -> None:
        """Remember, as the most recent; what is one too many or too old goes."""
        self._entries[key] = (self._clock(), kept)
        self._entries.move_to_end(key)
        while len(self._entries) > self._most:
            self._entries.popitem(last=False)
        self._drop_old()

    def get(self, key: str) -> Kept | None:
        """What is remembered under the key, which becomes the most recent; None if nothing is."""
        self._drop_old()
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries[key] = (self._clock(), entry[1])
        self._entries.move_to_end(key)
        return entry[1]

    def forget(self, key: str) -> None:
        """Drop one entry; harmless when there is none."""
        self._entries.pop(key, None)

    def _drop_old(self) -> None:
        # Touching moves an entry to the end, so the first is always the oldest.
        before = self._clock() - self._seconds
        while self._entries and next(iter(self._entries.values()))[0] < before:
            self._entries.popitem(last=False)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)
