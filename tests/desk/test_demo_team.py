"""The team of a demonstration: everybody knows how to get in, so it is made nowhere else."""

from __future__ import annotations

import pytest

from bot.base.errors import BadInput, Misconfigured
from bot.desk.staff import accounts, demo, sessions
from bot.desk.staff.roles import Role
from tests.desk.conftest import Desk


def make(desk: Desk, *, is_demo: bool = True, public_url: str = "") -> None:
    with desk.database.writing() as session:
        demo.make_team(session, desk.vault, desk.index, desk.clock(), demo=is_demo, public_url=public_url)


@pytest.mark.parametrize(
    ("is_demo", "public_url"), [(False, ""), (True, "https://help.clinic.example"), (False, "https://x.example")]
)
def test_it_is_refused_outside_a_demonstration(lite: Desk, is_demo: bool, public_url: str) -> None:
    with pytest.raises(Misconfigured):
        make(lite, is_demo=is_demo, public_url=public_url)
    with lite.database.reading() as session:
        assert accounts.count(session) == 0


def test_it_is_refused_where_somebody_real_has_an_account(lite: Desk) -> None:
    lite.colleague()
    with pytest.raises(BadInput):
        make(lite)
    with lite.database.reading() as session:
        assert accounts.count(session) == 1


def test_everybody_of_it_signs_in_with_what_is_printed(lite: Desk) -> None:
    make(lite)
    make(lite)
    with lite.database.reading() as session:
        assert accounts.count(session) == len(demo.TEAM)
    for one in demo.TEAM:
        made = sessions.sign_in(
            lite.database,
            lite.vault,
            lite.index,
            login=one.login,
            password=demo.PASSWORD,
            code=demo.code_now(lite.clock()),
            address=one.login,
            at=lite.clock(),
        )
        assert made.staff_id
    assert {role for one in demo.TEAM for role in one.roles} == set(Role)
