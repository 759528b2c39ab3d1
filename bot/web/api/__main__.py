"""Write the description of the interface: `python -m bot.web.api > docs/api/candour-v1.json`."""

from __future__ import annotations

import json
import sys

from bot.web.api.app import create_api


def text() -> str:
    """The description as it is kept with the documentation."""
    return json.dumps(create_api(None).openapi(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"


if __name__ == "__main__":
    sys.stdout.write(text())
