"""Rasa's own command line in this environment: `python -m engine.rasa data validate …`."""

from __future__ import annotations

import sys
import warnings

from engine.ground import prepare


def main() -> None:
    """Hand the arguments to Rasa; the exit status is Rasa's."""
    prepare()
    warnings.simplefilter("ignore", DeprecationWarning)
    from rasa.__main__ import main as rasa_main

    sys.argv[0] = "rasa"
    rasa_main()


if __name__ == "__main__":
    main()
