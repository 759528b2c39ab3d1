"""Run the command line: `python -m bot.cli`, which is what `./candour` becomes."""

from __future__ import annotations

import sys


def main() -> int:
    """Run one command; a program that cannot even be loaded says so in one sentence."""
    try:
        from bot.cli.app import app
    except KeyboardInterrupt:
        return 130
    except Exception as wrong:
        if "--debug" in sys.argv:
            raise
        sys.stderr.write(f"Candour cannot be loaded ({type(wrong).__name__}: {wrong}). `./candour --debug` shows where.\n")
        return 1
    app(prog_name="./candour")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
