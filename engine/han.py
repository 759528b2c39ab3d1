"""Traditional characters and their simplified forms, so that both scripts share what is learnt.

The table is `data/han.json` (from OpenCC 1.4.2, Apache-2.0), which the application reads too. Text is only ever compared in
this form, never shown.
"""

from __future__ import annotations

import json
from pathlib import Path

_TABLE = json.loads((Path(__file__).parents[1] / "data" / "han.json").read_text())

TO_SIMPLIFIED = str.maketrans("".join(_TABLE["traditional"]), "".join(_TABLE["simplified"]))
