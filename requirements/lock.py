"""Makes NAME.txt, with the hashes of all files of every version, from the flat pins in NAME.in.

Rasa's metadata refuses Python 3.11, so nothing may resolve here: each line is one exact version and
is looked up alone. Needs pip-tools. It writes no addresses, only versions and hashes.
"""

import sys
import tempfile
from pathlib import Path

from pip._internal.req.constructors import install_req_from_line
from piptools.repositories import PyPIRepository


def hashed(name: Path) -> str:
    """The text of the lock for one `.in` file; raises when a version cannot be found."""
    repository = PyPIRepository(["--disable-pip-version-check"], cache_dir=str(Path(tempfile.mkdtemp())))
    lines = [f"# Made from {name.name} by lock.py: change that file, then run it."]
    pins = [line.strip() for line in name.read_text().splitlines()]
    with repository.allow_all_wheels():
        for pin in sorted(pin for pin in pins if pin and not pin.startswith("#")):
            found = sorted(repository.get_hashes(install_req_from_line(pin)))
            if not found:
                raise SystemExit(f"no files found for {pin}")
            lines.append(" \\\n    --hash=".join([pin, *found]))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    here = Path(__file__).parent
    for wanted in sys.argv[1:] or ["engine", "stock"]:
        (here / f"{wanted}.txt").write_text(hashed(here / f"{wanted}.in"))
