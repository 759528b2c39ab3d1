"""A folder as a ZIP file, piece by piece, and the same for the same folder."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path

PIECE = 1 << 18
_MOMENT = (1980, 1, 1, 0, 0, 0)
"""The moment of every file in it: what a ZIP file calls the beginning of time."""


class _Sink:
    """Takes what is written until it is fetched."""

    def __init__(self) -> None:
        self._held = bytearray()

    def write(self, piece: bytes) -> int:
        self._held += piece
        return len(piece)

    def flush(self) -> None:
        """Nothing waits elsewhere."""

    def fetch(self) -> bytes:
        held, self._held = bytes(self._held), bytearray()
        return held


def zipped(folder: Path, name: str) -> Iterator[bytes]:
    """The files of a folder under the name of a folder, in order; nothing is held but a piece."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:  # type: ignore[call-overload]
        for path in sorted(one for one in folder.rglob("*") if one.is_file()):
            info = zipfile.ZipInfo(f"{name}/{path.relative_to(folder).as_posix()}", _MOMENT)
            info.compress_type, info.external_attr = zipfile.ZIP_DEFLATED, 0o600 << 16
            with archive.open(info, "w") as target, path.open("rb") as source:
                while piece := source.read(PIECE):
                    target.write(piece)
                    yield sink.fetch()
    yield sink.fetch()
