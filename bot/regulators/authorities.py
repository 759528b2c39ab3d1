"""Which authorities are told, by when, and where that comes from: `data/regulators.yml`."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from bot.base.errors import BadInput, Misconfigured
from bot.base.settings import REPOSITORY

FILE = REPOSITORY / "data" / "regulators.yml"


class Authority(BaseModel):
    """One authority."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    told: str  # the fact that says on which day it was told
    stated: str  # the fact that says that it was told, on whatever day
    within_hours: int  # after the end of the day on which the incident was noticed
    follow_up_hours: int  # after facts that are new to it came into force
    every_days: int  # after the last report, while the investigation goes on
    duty: str
    way: str
    sources: tuple[str, ...]
    as_of: date


@lru_cache(maxsize=2)
def authorities(path: Path = FILE) -> dict[str, Authority]:
    """Every authority by its name in the file; raises Misconfigured naming what is wrong there."""
    try:
        read = yaml.safe_load(path.read_text(encoding="utf-8"))
        return {name: Authority.model_validate(said) for name, said in read.items()}
    except (OSError, yaml.YAMLError, AttributeError, ValidationError) as wrong:
        raise Misconfigured(f"{path.name} cannot be read: {type(wrong).__name__}.") from None


def authority(name: str) -> Authority:
    """One authority; raises BadInput for another name."""
    found = authorities().get(name)
    if found is None:
        raise BadInput(f"The authorities are {', '.join(authorities())}.")
    return found
