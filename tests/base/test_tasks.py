"""The doorbell: what is rung is heard, and nothing that happens to its store can hurt the ringer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.base.settings import Settings
from bot.base.tasks import ENOUGH, Doorbell, make_huey


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a doorbell of each kind."""
    url = request.getfixturevalue("empty_postgres_url") if request.param == "postgres" else ""
    return Settings(_env_file=None, home=tmp_path, huey_url=url)


@pytest.fixture
def bells() -> Iterator[Callable[[Settings], Doorbell]]:
    """Makes doorbells as separate processes would, and closes them."""
    made: list[Doorbell] = []

    def make(settings: Settings) -> Doorbell:
        made.append(Doorbell(make_huey(settings)))
        return made[-1]

    yield make
    for bell in made:
        bell.close(0.5)


Bells = Callable[[Settings], Doorbell]


def test_a_ring_is_heard_by_another_process(store: Settings, bells: Bells) -> None:
    web, worker = bells(store), bells(store)
    web.ring("turns")
    assert web.flush()
    assert worker.heard() == {"turns"}
    assert worker.heard() == set()


def test_many_rings_of_a_kind_need_no_more_than_one_look(store: Settings, bells: Bells) -> None:
    web, worker = bells(store), bells(store)
    for _ in range(50):
        web.ring("turns")
        web.ring("campaigns")
    assert web.flush()
    assert worker.heard() == {"turns", "campaigns"}


def test_a_listener_looks_and_stops(store: Settings, bells: Bells) -> None:
    web, worker = bells(store), bells(store)
    stop, seen = threading.Event(), threading.Event()
    listener = threading.Thread(target=worker.listen, args=(stop, lambda kind: seen.set()))
    listener.start()
    web.ring("turns")
    assert seen.wait(5)
    stop.set()
    listener.join(60)
    assert not listener.is_alive()


def test_a_store_nobody_empties_does_not_grow(store: Settings, bells: Bells) -> None:
    web = bells(store)
    for _ in range(ENOUGH + 20):
        web.ring("turns")
        assert web.flush()
    assert web._huey.storage.queue_size() <= ENOUGH


def test_what_lies_in_the_store_is_no_pickle(tmp_path: Path, bells: Bells) -> None:
    web = bells(Settings(_env_file=None, home=tmp_path))
    web.ring("turns")
    assert web.flush()
    assert web._huey.storage.enqueued_items()[0].startswith(b"[")


# ---------------------------------------------------------------- the store is lost


@pytest.mark.parametrize("trouble", ["deleted", "emptied", "spoilt", "replaced"])
def test_after_any_trouble_with_its_file_the_bell_rings_again(trouble: str, tmp_path: Path, bells: Bells) -> None:
    settings = Settings(_env_file=None, home=tmp_path)
    web, worker = bells(settings), bells(settings)
    file = tmp_path / "huey.sqlite3"
    for _ in range(3):
        web.ring("turns")
        assert web.flush()
        assert worker.heard() == {"turns"}
        if trouble == "deleted":
            file.unlink()
        elif trouble == "emptied":
            file.write_bytes(b"")
        elif trouble == "spoilt":
            file.write_bytes(b"this is no database" * 500)
        else:
            other = tmp_path / "other"
            other.write_bytes(b"")
            other.replace(file)
        web.ring("turns")
        assert web.flush(5)
        eventually(lambda: worker.heard() == {"turns"})


def eventually(condition: Callable[[], bool]) -> None:
    """Wait some seconds for a condition; a store in trouble may raise until it is new."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except Exception:
            time.sleep(0.05)
    raise AssertionError("it never came true")


def test_the_file_may_be_deleted_between_any_two_rings(tmp_path: Path, bells: Bells) -> None:
    settings = Settings(_env_file=None, home=tmp_path)
    web, worker = bells(settings), bells(settings)
    file = tmp_path / "huey.sqlite3"
    stop, looks = threading.Event(), threading.Semaphore(0)
    listener = threading.Thread(target=worker.listen, args=(stop, lambda kind: looks.release()))
    listener.start()
    for _ in range(30):
        web.ring("turns")
        file.unlink(missing_ok=True)
    web.flush()
    time.sleep(0.2)
    while looks.acquire(blocking=False):
        pass
    web.ring("turns")  # what was lost above is the sweeper's; from here on the bell works again
    assert looks.acquire(timeout=60)
    stop.set()
    listener.join(60)


def test_ringing_never_waits_and_never_raises_when_there_is_no_store(
    tmp_path: Path, bells: Bells, logged: Callable[[], str]
) -> None:
    web = bells(Settings(_env_file=None, home=tmp_path / "missing"))
    began = time.monotonic()
    for _ in range(1000):
        web.ring("turns")
    assert time.monotonic() - began < 0.5
    assert not web.flush(0.3)
    assert logged().count("the doorbell's store cannot be reached") == 1


def test_a_ring_is_kept_until_the_store_is_there(tmp_path: Path, bells: Bells) -> None:
    settings = Settings(_env_file=None, home=tmp_path / "later")
    web = bells(settings)
    web.ring("turns")
    assert not web.flush(0.2)
    settings.home.mkdir()
    assert web.flush(5)
    assert bells(settings).heard() == {"turns"}


@pytest.mark.postgres
def test_a_server_that_is_away_disturbs_nobody(tmp_path: Path, bells: Bells, logged: Callable[[], str]) -> None:
    web = bells(Settings(_env_file=None, home=tmp_path, huey_url=f"postgresql://candour:secret-word@/none?host={tmp_path}"))
    began = time.monotonic()
    web.ring("turns")
    assert time.monotonic() - began < 0.1
    web.flush(0.5)
    assert "cannot be reached" in logged()
    assert "secret-word" not in logged()


def test_a_locked_store_delays_the_ring_and_not_the_ringer(tmp_path: Path, bells: Bells) -> None:
    settings = Settings(_env_file=None, home=tmp_path)
    web, other = bells(settings), bells(settings)
    with other._huey.storage.db(commit=True):
        began = time.monotonic()
        web.ring("turns")
        assert time.monotonic() - began < 0.1
        assert not web.flush(0.3)
    assert web.flush(5)
    assert other.heard() == {"turns"}


def test_a_look_that_fails_is_the_listeners_own_affair(tmp_path: Path, bells: Bells) -> None:
    # The worker's loop decides what a failure means; the bell hides nothing.
    settings = Settings(_env_file=None, home=tmp_path)
    web = bells(settings)
    web.ring("turns")
    assert web.flush()
    with pytest.raises(ZeroDivisionError):
        bells(settings).listen(threading.Event(), lambda kind: 1 // 0)
