"""A whole post: web's doors, a post room, and the simulator as provider, all talking HTTP with each other."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from bot.answering import Mind
from bot.assembly import Application
from bot.base.clock import system_clock
from bot.base.database import Database
from bot.base.languages import Language
from bot.base.settings import REPOSITORY, Settings
from bot.base.vault import BlindIndex, Vault
from bot.channels.registry import channels
from bot.cli import provider
from bot.coderoom import CodeRoom
from bot.conversations.engine import Deed, Understanding
from bot.conversations.models import Thread, Turn
from bot.conversations.post.models import Part
from bot.conversations.reading.safety import Lexicon
from bot.conversations.speaking import proposal, publication
from bot.conversations.speaking.publication import Library
from bot.conversations.speaking.replies import Said, write_reply
from bot.conversations.transcript import Line, lines_after
from bot.deeds.carrying import Deeds
from bot.identity.flow import Identity
from bot.inbox import Inbox
from bot.postroom import PostRoom
from simulator.__main__ import server_for
from simulator.options import Options, load_credentials
from tests.conftest import Keys
from tests.engine.running import free_port
from tests.simulator.conftest import Thread as Served
from tests.web.conftest import Rings, TableEngine, eventually, serving

FAST = 60.0
MOBILE = "+85291234567"


class Engine(TableEngine):
    """One that also asks for the deed of somebody who wants to know whether they are affected."""

    def _about(self, topic: str) -> Understanding:
        about = super()._about(topic)
        return replace(about, do=(Deed(topic, {}),)) if topic == "am_i_affected" else about


@dataclass
class Post:
    """Everything running, and a patient with a phone and a mailbox."""

    application: Application
    engine: TableEngine
    simulator: str
    web: str

    def types(self, channel: str, text: str = "", *, patient: str = "", to: str = "", **more: Any) -> str:
        """Write as a patient, on the phone or by e-mail."""
        own = {"sms": "+85264500001", "whatsapp": "+85264500003", "email": "care@clinic.example"}[channel]
        their = patient or ("chan@mail.example" if channel == "email" else MOBILE)
        body = {"channel": channel, "patient": their, "to": to or own, "text": text, **more}
        answer = httpx.post(f"{self.simulator}/simulator/inbound", json=body, trust_env=False, timeout=60)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])

    def arrived(self, channel: str) -> list[dict[str, Any]]:
        """What reached phones or mailboxes over our account, in order."""
        query = {"channel": channel, "texts": "1", "limit": 10_000}
        answer = httpx.get(f"{self.simulator}/simulator/deliveries", params=query, trust_env=False, timeout=60)
        return list(answer.json()["deliveries"])

    def faults(self, **body: Any) -> None:
        """Have the provider fail."""
        assert httpx.post(f"{self.simulator}/simulator/faults", json=body, trust_env=False, timeout=60).status_code == 200

    def parts(self) -> list[Part]:
        """The outbox."""
        with self.application.database.reading() as session:
            return list(session.scalars(select(Part).order_by(Part.id)))

    def threads(self) -> list[Thread]:
        """All lines."""
        with self.application.database.reading() as session:
            return list(session.scalars(select(Thread).order_by(Thread.id)))

    def lines(self, thread_id: int) -> list[Line]:
        """The transcript of one."""
        with self.application.database.reading() as session:
            return lines_after(session, self.application.vault, thread_id, 0)

    def age(self, *, hours: float) -> None:
        """Let so much time pass for what has been said and for the provider."""
        body = {"advance_s": hours * 3600}
        assert httpx.post(f"{self.simulator}/simulator/clock", json=body, trust_env=False, timeout=60).status_code == 200
        with self.application.database.writing() as session:
            for row in (*session.scalars(select(Turn)), *session.scalars(select(Part))):
                if isinstance(row, Turn):
                    row.received_at -= timedelta(hours=hours)
                else:
                    row.created_at -= timedelta(hours=hours)

    def says_late(self, channel: str, name: str) -> None:
        """An answer that is ready only now: written as a person's would be, to the last line on a channel."""
        application, now = self.application, system_clock()
        with application.database.writing() as session:
            thread = session.scalars(select(Thread).where(Thread.channel == channel).order_by(Thread.id.desc())).first()
            assert thread is not None
            said = Said((name,), Language(thread.language), channel)
            published = application.library.current(session, now)
            write_reply(session, application.vault, published, said, thread_id=thread.id, session_id=None, turn_id=None, at=now)

    def awaits(self, channel: str, number: int, seconds: float = 20) -> list[str]:
        """Wait until so many have arrived; their texts."""
        found = eventually(lambda: (seen := self.arrived(channel)) if len(self.arrived(channel)) >= number else None, seconds)
        return [one["text"] for one in found]


@pytest.fixture
def post(tmp_path: Path, sqlite_url: str, keys: Keys) -> Iterator[Post]:
    """One that runs in this process."""
    free = {"web_port": free_port(), "simulator_port": free_port()}
    settings = provider.with_simulator(
        Settings(_env_file=None, home=tmp_path, database_url=sqlite_url, provider_timeout_s=3, **free)
    )
    credentials = load_credentials(provider.folder(settings), {})
    options = Options(port=free["simulator_port"], speed=FAST, credentials=credentials, addresses=provider.addresses(settings))
    engine, rings = Engine(), Rings()
    application = _application(settings, keys, engine, rings)
    codes = threading.Thread(target=CodeRoom(application).run, args=(stop := threading.Event(),))
    room = PostRoom(application, "one")
    rings.ring = lambda kind: room.wake()  # type: ignore[method-assign]
    worker = threading.Thread(target=room.run, args=(stop,))
    simulator = Served(server_for(options))
    try:
        with serving(application, port=free["web_port"]) as web:
            worker.start()
            codes.start()
            yield Post(application, engine, f"http://127.0.0.1:{free['simulator_port']}", web)
    finally:
        simulator.stop()
        stop.set()
        room.wake()
        worker.join(60)
        codes.join(60)
        application.close()


def _application(settings: Settings, keys: Keys, engine: TableEngine, rings: Rings) -> Application:
    database, library, vault = Database(settings.database), Library(), Vault(keys.vault)
    with database.writing() as session:
        proposed = publication.propose(session, _content(), by="demo editor", at=system_clock())
        publication.approve(session, proposed.id, by="demo approver", at=system_clock())
    mind, index = Mind(engine, _lexicon()), BlindIndex(keys.index)
    identity, deeds = Identity(vault, index), Deeds(vault, index, library)
    return Application(
        settings=settings,
        clock=system_clock,
        database=database,
        vault=vault,
        index=index,
        doorbell=rings,  # type: ignore[arg-type]
        engine=engine,  # type: ignore[arg-type]
        library=library,
        inbox=Inbox(database, vault, mind, library, system_clock, identity, deeds),
        channels=channels(settings, system_clock),
    )


@cache
def _content() -> dict[str, Any]:
    return proposal.read(REPOSITORY / "data")


@cache
def _lexicon() -> Lexicon:
    return Lexicon.load(REPOSITORY / "data" / "safety.yml")
