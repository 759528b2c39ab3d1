"""Showing who is asking in the browser, in five languages: over a restart, in a second tab, to the end by a word."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import FrameLocator, Page, expect
from sqlalchemy import select

from bot.base.database import Database
from bot.base.languages import Language
from bot.base.settings import REPOSITORY
from bot.base.vault import BlindIndex, Vault
from bot.conversations.speaking import proposal, wording
from bot.conversations.speaking.levels import Level
from bot.identity.models import CODE, CodeDispatch, DispatchKind
from bot.patients.references import new_reference
from tests.conftest import Keys
from tests.e2e.conftest import Embedding, Watch
from tests.e2e.test_widget import answered, ask, frame_of, lines, open_widget
from tests.identity.conftest import row, stock

TONGUES = [
    ("en", Language.EN, "Am I affected?", "log out"),
    ("zh-HK", Language.ZH_HANT, "我有冇受影響?", "登出"),
    ("zh-CN", Language.ZH_HANS, "我有没有受影响?", "退出登录"),
    ("fil", Language.TL, "Apektado ba ako?", "mag-log out"),
    ("id", Language.ID, "Apakah saya terdampak?", "keluar"),
]
KEYS = {language: f"P00{number}" for number, language in enumerate(Language, start=1)}


@dataclass
class Clinic:
    """What the clinic has on file, as the site's processes see it."""

    database: Database
    vault: Vault
    references: dict[str, str]
    content: dict[str, Any]

    def code(self) -> str:
        """The newest code that waits for the worker."""
        with self.database.reading() as session:
            rows = select(CodeDispatch).where(CodeDispatch.kind == DispatchKind.CODE.value)
            newest = session.scalars(rows.order_by(CodeDispatch.id.desc()).limit(1)).one()
            return self.vault.open(newest.sealed_code or "", CODE)

    def begins(self, name: str, language: Language) -> str:
        """How a published wording begins."""
        return wording.render(self.content, name, language, "web", wording.GIVEN, Level.VERIFIED).text.splitlines()[0]

    def label(self, name: str, language: Language) -> str:
        """The words on a button."""
        return wording.label(self.content, name, language)


@pytest.fixture(scope="session")
def clinic(running_embedding: Embedding, keys: Keys, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clinic]:
    """Five patients in the database of the embedded site."""
    database = Database(f"sqlite:///{running_embedding.site.home / 'candour.sqlite3'}")
    vault, index = Vault(keys.vault), BlindIndex(keys.index)
    rows = [row(key, f"chan{number}@example.com", f"9123 456{number}") for number, key in enumerate(KEYS.values())]
    references = stock(database, vault, index, tmp_path_factory.mktemp("roster") / "r.csv", rows)
    yield Clinic(database, vault, references, proposal.read(REPOSITORY / "data"))
    database.close()


def last(chat: FrameLocator, count: int) -> str:
    """The newest answer, once there are so many."""
    answered(chat, count)
    return lines(chat, "bot")[-1]


def press(chat: FrameLocator, label: str) -> None:
    chat.get_by_role("button", name=label, exact=True).last.click()


@pytest.mark.parametrize(("tag", "language", "question", "log_out"), TONGUES, ids=[tongue[0] for tongue in TONGUES])
def test_a_patient_shows_who_is_asking_and_logs_out(
    visitors: Callable[..., Page], embedding: Embedding, clinic: Clinic, tag: str, language: Language, question: str, log_out: str
) -> None:
    embedding.host.lang = tag
    page = visitors()
    chat = open_widget(page, embedding.host.foreign)
    ask(chat, question)
    assert clinic.begins("verify_start", language) in last(chat, 1)
    press(chat, clinic.label("verify_start", language))
    assert clinic.begins("verify_intro", language) in last(chat, 2)
    reference = clinic.references[KEYS[language]]
    ask(chat, reference)
    assert clinic.begins("verify_where", language) in last(chat, 3)
    press(chat, clinic.label("verify_by_mobile", language))
    assert clinic.begins("verify_code_sent", language) in last(chat, 4)
    code = clinic.code()
    ask(chat, "".join(chr(ord(digit) - ord("0") + ord("０")) for digit in code))
    said = last(chat, 5)
    assert clinic.begins("verify_done", language) in said
    assert clinic.begins("my_data", language)[:12] in said
    ask(chat, log_out)
    assert clinic.begins("verify_ended", language) in last(chat, 6)
    # What was typed is masked where it is kept.
    page.reload()
    answered(frame_of(page), 6)
    shown = "".join(lines(frame_of(page), "you"))
    assert reference not in shown
    assert code not in shown


def test_a_restart_in_the_middle_and_a_second_tab_lose_nothing(
    visitors: Callable[..., Page], embedding: Embedding, clinic: Clinic, over: Watch
) -> None:
    over.may_fail = True
    page = visitors()
    chat = open_widget(page, embedding.host.foreign)
    ask(chat, "Am I affected?")
    answered(chat, 1)
    press(chat, "Show that it is me")
    answered(chat, 2)
    ask(chat, clinic.references[KEYS[Language.EN]])
    answered(chat, 3)
    press(chat, "To the e-mail")
    answered(chat, 4)
    embedding.site.stop()
    embedding.site.start()
    tab = page.context.new_page()
    over.over(tab)
    second = open_widget(tab, embedding.host.foreign)
    answered(second, 4)
    ask(second, clinic.code())
    assert clinic.begins("verify_done", Language.EN) in last(second, 5)
    assert clinic.begins("verify_done", Language.EN) in last(chat, 5)
    ask(chat, "log out")
    assert clinic.begins("verify_ended", Language.EN) in last(second, 6)


def test_a_stranger_sees_the_same_buttons_and_words(visitors: Callable[..., Page], embedding: Embedding, clinic: Clinic) -> None:
    seen = []
    for reference in (clinic.references[KEYS[Language.ID]], new_reference()):
        page = visitors()
        chat = open_widget(page, embedding.host.foreign)
        ask(chat, "Am I affected?")
        answered(chat, 1)
        press(chat, "Show that it is me")
        answered(chat, 2)
        ask(chat, reference)
        answered(chat, 3)
        press(chat, "To the mobile")
        answered(chat, 4)
        ask(chat, "nothing came")
        answered(chat, 5)
        expect(chat.get_by_role("button", name="Stop the check").last).to_be_visible()
        seen.append((lines(chat, "bot"), chat.locator("#log button").all_inner_texts()))
    assert seen[0] == seen[1]
