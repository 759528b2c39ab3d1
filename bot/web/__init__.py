"""The web process: doors for patients, providers, the team and its programs."""

import sys

# httpx loads its own command line with itself where it can, 4 MB that a server never needs; it does without what is None here.
sys.modules.setdefault("httpx._main", None)  # type: ignore[arg-type]
