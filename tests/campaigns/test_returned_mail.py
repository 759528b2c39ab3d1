"""Lists of returned mail: misspelt, in Chinese, or made up."""

from __future__ import annotations

from pathlib import Path

from bot.campaigns.paper.addressing import number_of
from tests.campaigns.house import Clinic
from tests.campaigns.test_paper import brought_back, made, posted, running
from tests.campaigns.test_paper import house as house


def test_a_reason_that_is_not_known_is_told_and_nobody_is_rung_for_it(house: Clinic, tmp_path: Path) -> None:
    house.people(3)
    running(house)
    posted(house, made(house, tmp_path).id)
    one, two, three = (number_of(notice.id) for notice in house.notices(channel="letter"))
    done = brought_back(house, f"{one},decesed\n{two},已故\n{three}\n")
    assert done.refused == ["row 1: this reason is not known"]
    assert dict(done.why) == {"deceased": 1, "other": 1}
    assert (done.again, done.left) == (1, 1)


def test_a_list_that_somebody_made_up_brings_nothing_back(house: Clinic, tmp_path: Path) -> None:
    house.people(2)
    running(house)
    made(house, tmp_path)  # made and not posted
    numbers = [number_of(notice.id) for notice in house.notices(channel="letter")]
    made_up = [*numbers, number_of(999_999), "L0000001-00", "'; DROP TABLE letters;--", "=1+1", "\u202eL1", "L" * 50_000]
    done = brought_back(house, "\n".join(f'"{one}",moved' for one in made_up))
    assert (done.back, done.again, done.left, len(done.refused)) == (0, 0, 0, len(made_up))
    assert "DROP" not in str(done.refused)
    assert house.counts() == {"open": 2}
