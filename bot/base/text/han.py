"""Chinese characters with two forms, traditional and simplified: what fold and identify need, and nothing else.

The table is `data/han.json` (from OpenCC 1.4.2, Apache-2.0), which the engine reads too. Conversion of text for reading is NOT
done with this: patients are only ever shown wordings that a person wrote.
"""

from __future__ import annotations

import json
from pathlib import Path

# Beside the code, wherever the folder of data that is published may be: the table belongs to the code.
_TABLE = json.loads((Path(__file__).parents[3] / "data" / "han.json").read_text())
_TRADITIONAL, _SIMPLIFIED = "".join(_TABLE["traditional"]), "".join(_TABLE["simplified"])

TO_SIMPLIFIED = str.maketrans(_TRADITIONAL, _SIMPLIFIED)
ONLY_TRADITIONAL = frozenset(_TRADITIONAL) - frozenset(_SIMPLIFIED)
# Written Cantonese; nobody writes these in another kind of Chinese.
CANTONESE = frozenset("嘅咗喺嚟冇唔哋啲嘢佢諗谂畀俾喎㗎囉嘥瞓攞揾乜嗰咁噉啱嬲嗌嚿咋啩㖞哂嗮掟揸攰曱甴孖冚氹唞")
_PARTICLES = frozenset("晒吓咪")  # simplified forms of rare characters, and everyday particles in Hong Kong
ONLY_SIMPLIFIED = frozenset(_SIMPLIFIED) - frozenset("".join(_TABLE["also_traditional"])) - CANTONESE - _PARTICLES
