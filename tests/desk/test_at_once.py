"""One person with two windows: first saves at the same instant."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from bot.desk.records import CaseDraft, CasePresence
from bot.desk.work import notebook, presence
from tests.desk.conftest import Desk

AT_ONCE = 4
ROUNDS = 8


def together(work: Callable[[int], None]) -> None:
    """Do something several times at the same instant; raises what any of them raised."""
    ready = Barrier(AT_ONCE)

    def one(number: int) -> None:
        ready.wait()
        work(number)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(one, range(AT_ONCE)))


def test_the_same_person_opens_a_case_in_several_windows_at_once(desk: Desk) -> None:
    who = desk.colleague()
    for case_id in [desk.case() for _ in range(ROUNDS)]:

        def look(number: int, case_id: int = case_id) -> None:
            with desk.database.writing() as session:
                presence.seen(session, case_id, who, desk.clock(), typing=number == 0)

        together(look)
        with desk.database.reading() as session:
            assert presence.viewers(session, case_id, desk.clock()) == [presence.Viewer(who, typing=True)]
            assert session.query(CasePresence).filter(CasePresence.case_id == case_id).count() == 1


def test_several_windows_save_their_first_draft_at_once_and_one_of_them_stays(desk: Desk) -> None:
    who = desk.colleague()
    for case_id in [desk.case() for _ in range(ROUNDS)]:

        def save(number: int, case_id: int = case_id) -> None:
            with desk.database.writing() as session:
                notebook.save_draft(session, desk.vault, case_id, who, desk.clock(), text=f"draft {number}")

        together(save)
        with desk.database.reading() as session:
            kept = notebook.draft_of(session, desk.vault, case_id, who)
            assert kept is not None
            assert kept.text in {f"draft {number}" for number in range(AT_ONCE)}
            assert session.query(CaseDraft).filter(CaseDraft.case_id == case_id).count() == 1


def test_a_draft_that_the_session_has_read_is_read_anew_after_it_is_saved(lite: Desk) -> None:
    who, case_id = lite.colleague(), lite.case()
    with lite.database.writing() as session:
        for text in ("one", "two"):
            notebook.save_draft(session, lite.vault, case_id, who, lite.clock(), text=text)
            kept = notebook.draft_of(session, lite.vault, case_id, who)
            assert kept is not None
            assert kept.text == text
        notebook.save_draft(session, lite.vault, case_id, who, lite.clock())
        assert notebook.draft_of(session, lite.vault, case_id, who) is None
