"""Showing who is asking by SMS, WhatsApp and e-mail, in five languages, with the published wordings and real callbacks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.base.clock import system_clock
from bot.base.languages import Language
from bot.conversations import threads
from bot.conversations.speaking import wording
from bot.identity import state
from bot.identity.models import CodeDispatch, DispatchKind, DispatchStatus
from bot.patients.references import new_reference
from tests.channels.conftest import Post
from tests.identity.conftest import row, stock
from tests.web.conftest import eventually

pytestmark = pytest.mark.chaos

OPENINGS = {
    Language.EN: ("English", "log out"),
    Language.ZH_HANT: ("繁體中文", "登出"),
    Language.ZH_HANS: ("简体中文", "退出登录"),
    Language.TL: ("Tagalog", "mag-log out"),
    Language.ID: ("Bahasa Indonesia", "keluar"),
}
KEYS = {language: f"P00{number}" for number, language in enumerate(Language, start=1)}
MOBILES = {language: f"+8529123456{number}" for number, language in enumerate(Language, start=1)}
MAILS = {language: f"chan{number}@example.com" for number, language in enumerate(Language, start=1)}


class Talk:
    """One patient who writes on one channel and is answered before writing on."""

    def __init__(self, post: Post, channel: str, address: str, language: Language) -> None:
        self.post, self.channel, self.address, self.language = post, channel, address, language
        self.content = post.application.library.current
        self._before = {thread.id for thread in post.threads()}
        self.thread_id = 0

    def says(self, text: str) -> str:
        """Write, and return what is answered."""
        before = self._replies()
        more = {"subject": "Re: a question"} if self.channel == "email" else {}
        self.post.types(self.channel, text, patient=self.address, **more)
        if not self.thread_id:
            new: list[int] = eventually(lambda: [one.id for one in self.post.threads() if one.id not in self._before], 60)
            [self.thread_id] = new
        return str(eventually(lambda: "\n".join(self._replies()[len(before) :]), 60))

    def chooses(self, name: str) -> str:
        """Type the words of a choice."""
        return self.says(self.published()["wordings"][name]["label"][self.language.value])

    def published(self) -> Any:
        """What may be said."""
        with self.post.application.database.reading() as session:
            return self.post.application.library.current(session, system_clock()).content

    def words(self, name: str, channel: str = "", **values: str) -> str:
        """A wording as it is published."""
        return wording.render(self.published(), name, self.language, channel or self.channel, values).text

    def is_verified(self) -> bool:
        """Whether the session of this line is verified now."""
        with self.post.application.database.reading() as session:
            latest = threads.latest_session(session, self.thread_id)
            return latest is not None and state.verified_person(session, latest.id, system_clock()) is not None

    def _replies(self) -> list[str]:
        return [line.text for line in self.post.lines(self.thread_id) if line.kind == "reply"] if self.thread_id else []


@pytest.fixture
def references(post: Post, tmp_path: Path) -> dict[str, str]:
    """Five patients, one for each language."""
    application = post.application
    post.engine.table["am i"] = "am_i_affected"
    rows = [row(KEYS[each], MAILS[each], MOBILES[each].removeprefix("+852")) for each in Language]
    return stock(application.database, application.vault, application.index, tmp_path / "roster.csv", rows)


def codes_sent(post: Post) -> list[CodeDispatch]:
    with post.application.database.reading() as session:
        rows = select(CodeDispatch).where(CodeDispatch.kind == DispatchKind.CODE.value)
        return list(session.scalars(rows.order_by(CodeDispatch.id)))


def code_for(post: Post, way: str, to: str) -> tuple[str, dict[str, Any]]:
    """The code that reached a phone or mailbox, and what it came in."""

    def look() -> tuple[str, dict[str, Any]] | None:
        for one in post.arrived(way):
            found = re.search(r"(?<!\d)\d{6}(?!\d)", one["text"])
            if one["recipient"] == to and found and one["text"].startswith(("Larkmoor", "朗慕", "朗慕医疗")):
                return found[0], one
        return None

    found: tuple[str, dict[str, Any]] = eventually(look, 60)
    return found


WRITES: dict[str, Callable[[Language], str]] = {
    "sms": lambda language: MOBILES[language],
    "whatsapp": lambda language: MOBILES[language].replace("+8529", "+8526"),  # not on file
    "email": lambda language: MAILS[language],
}


@pytest.mark.parametrize("channel", WRITES)
def test_who_is_asking_is_shown_with_a_code_in_five_languages(post: Post, references: dict[str, str], channel: str) -> None:
    for language, (opening, log_out) in OPENINGS.items():
        talk = Talk(post, channel, WRITES[channel](language), language)
        talk.says(opening)
        assert talk.words("verify_start") in talk.says("am i")
        assert talk.words("verify_intro") in talk.chooses("verify_start")
        assert talk.words("verify_where") in talk.says(references[KEYS[language]].lower().replace("-", " "))
        way, to = ("email", MAILS[language]) if channel == "email" else ("sms", MOBILES[language])
        choice = "verify_by_email" if way == "email" else "verify_by_mobile"
        assert talk.words("verify_code_sent") in talk.chooses(choice)
        code, sent = code_for(post, way, to)
        assert sent["text"] == talk.words("one_time_code", way, code=code, minutes="10")
        assert code not in sent["subject"]
        assert sent["subject"] == ("" if way == "sms" else talk.words("one_time_code_subject"))
        assert talk.words("verify_done") in talk.says(" ".join((code[:3], code[3:])))
        assert talk.is_verified()
        assert talk.words("verify_ended") in talk.says(log_out)
        assert not talk.is_verified()
    eventually(lambda: [one.status for one in codes_sent(post)] == [DispatchStatus.DELIVERED] * len(OPENINGS), 60)


def test_whatsapp_from_the_number_on_file_needs_no_code_in_five_languages(post: Post, references: dict[str, str]) -> None:
    for language, (opening, _) in OPENINGS.items():
        talk = Talk(post, "whatsapp", MOBILES[language], language)
        talk.says(opening)
        talk.says("am i")
        assert talk.words("verify_done") in talk.chooses("verify_start")
        assert talk.is_verified()
    assert codes_sent(post) == []


def test_a_stranger_reads_the_same_and_a_code_the_provider_could_not_deliver_is_kept_as_failed(
    post: Post, references: dict[str, str]
) -> None:
    said = []
    post.faults(rates={"unreachable": 1.0})
    for typed, address in ((references["P001"], "+85263330001"), (new_reference(), "+85263330002")):
        talk = Talk(post, "whatsapp", address, Language.EN)
        steps = [talk.says("English"), talk.says("am i"), talk.chooses("verify_start"), talk.says(typed)]
        said.append([*steps, talk.chooses("verify_by_mobile"), talk.says("nothing came")])
    assert said[0] == said[1]
    failed = {DispatchStatus.FAILED, DispatchStatus.WITHHELD}
    eventually(lambda: {one.status for one in codes_sent(post)} == failed, 60)
