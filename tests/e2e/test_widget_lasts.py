"""What the widget keeps through lost networks, restarts and second tabs: nothing lost, nothing twice, in three languages."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import FrameLocator, Page, Request, Route, expect

from bot.base.languages import Language
from bot.web.labels import all_labels
from tests.e2e.conftest import Embedding, Watch
from tests.e2e.test_widget import answered, ask, frame_of, inside, lines, open_widget

MINUTES_10 = 600_000
TONGUES = [
    ("en", Language.EN, ("What happened?", "How do I protect myself?", "Where is the hotline?")),
    ("zh-HK", Language.ZH_HANT, ("發生咩事?", "點樣保護自己?", "熱線係幾多號?")),
    ("zh-CN", Language.ZH_HANS, ("发生了什么事?", "怎样保护自己?", "热线是多少?")),
]
in_three_languages = pytest.mark.parametrize(("tag", "language", "questions"), TONGUES, ids=[tongue[0] for tongue in TONGUES])


def words(language: Language, name: str) -> str:
    return all_labels()[language].labels[name]


def api(page: Page, embedding: Embedding) -> httpx.Client:
    """The same patient on another device that holds the cookie."""
    [cookie] = page.context.cookies()
    headers = {"cookie": f"{cookie['name']}={cookie['value']}", "origin": embedding.site.address}
    return httpx.Client(base_url=embedding.site.address, headers=headers, trust_env=False, timeout=30)


@in_three_languages
def test_ten_minutes_offline_lose_nothing_and_double_nothing(
    visitors: Callable[..., Page],
    embedding: Embedding,
    over: Watch,
    tag: str,
    language: Language,
    questions: tuple[str, str, str],
) -> None:
    over.may_fail = True
    embedding.host.lang = tag
    page = visitors()
    page.clock.install()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, questions[0])
    answered(frame, 1)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(_client_id(request)) if "/turns" in request.url else None)
    page.context.set_offline(True)
    # The switch leaves the open stream open; a lost network does not.
    inside(page).evaluate("window.dispatchEvent(new Event('pagehide'))")
    ask(frame, questions[1])
    expect(frame.locator("#log .unsent .delivery")).to_contain_text(words(language, "not_sent"))
    expect(frame.locator("#connection")).to_have_text(words(language, "offline"))
    ask(frame, questions[2])
    expect(frame.locator("#log .unsent")).to_have_count(1)
    expect(frame.locator("#log .from-you")).to_have_count(3)
    # Meanwhile something is said elsewhere.
    with api(page, embedding) as elsewhere:
        said = elsewhere.post("/api/chat/turns", json={"client_id": str(uuid.uuid4()), "text": questions[0]})
        assert said.status_code == 202
    page.clock.fast_forward(MINUTES_10)
    expect(frame.locator("#log .from-you")).to_have_count(3)
    page.context.set_offline(False)
    answered(frame, 4)
    expect(frame.locator("#log .unsent")).to_have_count(0)
    expect(frame.locator("#connection")).to_be_hidden()
    assert sorted(lines(frame, "you")) == sorted([questions[0], *questions])
    # What was written first was sent first, and each always under its own id.
    assert len(dict.fromkeys(sent)) == 2
    page.reload()
    answered(frame_of(page), 4)
    expect(frame_of(page).locator("#log .from-you")).to_have_count(4)


def _client_id(request: Request) -> str:
    return str(json.loads(request.post_data or "{}")["client_id"])


@in_three_languages
def test_a_restart_of_the_web_process_loses_and_doubles_nothing_in_two_tabs(
    visitors: Callable[..., Page],
    embedding: Embedding,
    over: Watch,
    tag: str,
    language: Language,
    questions: tuple[str, str, str],
) -> None:
    over.may_fail = True
    embedding.host.lang = tag
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, questions[0])
    answered(frame, 1)
    second = page.context.new_page()
    over.over(second)
    other = open_widget(second, embedding.host.foreign)
    answered(other, 1)
    embedding.site.stop()
    try:
        ask(other, questions[1])
        expect(other.locator("#log .unsent .delivery")).to_contain_text(words(language, "not_sent"))
        ask(frame, questions[2])
        expect(frame.locator("#log .unsent")).to_have_count(1)
    finally:
        embedding.site.start()
    for place in (frame, other):
        expect(place.locator("#log .from-bot")).to_have_count(4, timeout=60_000)
        expect(place.locator("#log .unsent")).to_have_count(0)
    assert sorted(lines(frame, "you")) == sorted(questions)
    assert lines(frame, "you") == lines(other, "you")
    assert lines(frame, "bot") == lines(other, "bot")


@in_three_languages
def test_an_old_button_is_politely_refused(
    visitors: Callable[..., Page], embedding: Embedding, tag: str, language: Language, questions: tuple[str, str, str]
) -> None:
    embedding.host.lang = tag
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    pressed: list[str] = []
    page.on("request", lambda request: pressed.append(_choice(request)) if "/turns" in request.url else None)
    ask(frame, questions[0])
    answered(frame, 1)
    frame.locator("#log .choices button").first.click()
    answered(frame, 2)
    expect(frame.locator("#log .choices")).to_have_count(1)
    choice = pressed[-1]
    assert choice
    # A page that was left open since, or somebody who plays with ids.
    with api(page, embedding) as elsewhere:
        again = {"client_id": str(uuid.uuid4()), "choice": choice}
        assert elsewhere.post("/api/chat/turns", json=again).status_code == 202
        foreign = {"client_id": str(uuid.uuid4()), "choice": "1.protect_myself.AAAAAAAAAAAAAAAAAAAAAA"}
        assert elsewhere.post("/api/chat/turns", json=foreign).status_code < 500
    refused = {
        Language.EN: "that button belongs to an earlier answer",
        Language.ZH_HANT: "這個按鈕屬於較早前的回覆",
        Language.ZH_HANS: "这个按钮属于之前的回复",
    }
    expect(frame.locator("#log .from-bot").filter(has_text=refused[language]).first).to_be_visible()


def _choice(request: Request) -> str:
    return str(json.loads(request.post_data or "{}").get("choice") or "")


@in_three_languages
def test_copy_forget_and_leave_are_there_in_each_language(
    visitors: Callable[..., Page],
    embedding: Embedding,
    tmp_path: Path,
    tag: str,
    language: Language,
    questions: tuple[str, str, str],
) -> None:
    embedding.host.lang = tag
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    expect(frame.locator("#leave")).to_have_text(words(language, "leave"))
    ask(frame, questions[0])
    answered(frame, 1)
    with page.expect_download() as download:
        frame.get_by_role("button", name=words(language, "keep")).click()
    download.value.save_as(tmp_path / "copy.txt")
    copied = (tmp_path / "copy.txt").read_text()
    assert questions[0] in copied
    assert copied.count(words(language, "from_bot")) == 2
    forget = frame.get_by_role("button", name=words(language, "forget"))
    forget.click()
    expect(frame.locator("#own-said")).to_have_text(words(language, "forget_sure"))
    forget.click()
    expect(frame.locator("#own-said")).to_have_text(words(language, "forgotten"))
    expect(frame.locator("body")).to_have_attribute("data-known", "no")
    assert page.context.cookies() == []


@in_three_languages
def test_unread_answers_are_counted_in_each_language(
    visitors: Callable[..., Page], embedding: Embedding, tag: str, language: Language, questions: tuple[str, str, str]
) -> None:
    fresh = {Language.EN: "New answers: 1", Language.ZH_HANT: "新回覆：1", Language.ZH_HANS: "新回复：1"}
    embedding.host.lang = tag
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, f"{questions[0]} Answer slowly")
    expect(frame.locator("#state")).to_have_text(words(language, "waiting"))
    page.keyboard.press("Escape")
    expect(page.locator("candour-widget .badge")).to_have_text("1")
    expect(page.locator("candour-widget [role=status].unseen")).to_have_text(fresh[language])
    page.locator("candour-widget .launcher").click()
    expect(page.locator("candour-widget .badge")).to_be_hidden()


def test_it_makes_no_sound_and_shows_no_permission_question(visitors: Callable[..., Page], embedding: Embedding) -> None:
    page = visitors()
    page.add_init_script(
        """window.asked = [];
           for (const name of ["Audio", "AudioContext", "Notification", "SpeechSynthesisUtterance"])
             if (window[name]) window[name] = new Proxy(window[name], {
               construct() { window.asked.push(name); return {}; },
               get(target, key) { window.asked.push(name + "." + String(key)); return target[key]; } });
           HTMLMediaElement.prototype.play = () => { window.asked.push("play"); };
           navigator.vibrate = () => { window.asked.push("vibrate"); };"""
    )
    frame: FrameLocator = open_widget(page, embedding.host.foreign)
    ask(frame, "What happened? Answer slowly")
    page.keyboard.press("Escape")
    expect(page.locator("candour-widget .badge")).to_have_text("1")
    assert page.evaluate("window.asked") == inside(page).evaluate("window.asked") == []


LAUNCHERS = {
    "zh-Hant": "資料事故查詢",
    "zh-Hans": "数据事故查询",
    "tl": "Insidente sa data: magtanong",
    "id": "Insiden data: tanya kami",
    "en": "Data incident: ask us",
}


def test_all_five_languages_can_be_chosen_and_the_conversation_stays(visitors: Callable[..., Page], embedding: Embedding) -> None:
    page = visitors()
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, "What happened?")
    answered(frame, 1)
    for lang, launch in LAUNCHERS.items():
        frame.locator(f"[data-lang='{lang}']").click()
        expect(frame.locator("html")).to_have_attribute("lang", lang)
        expect(page.locator("candour-widget .launcher")).to_have_text(launch)
        expect(frame.locator("#send")).to_have_text(words(Language(lang), "send"))
        answered(frame, 1)
        assert lines(frame, "you") == ["What happened?"]


def test_only_https_addresses_in_our_own_words_become_links(visitors: Callable[..., Page], embedding: Embedding) -> None:
    said = "javascript:alert(1) http://plain.example/ data:text/html,x <b>bold</b> https://www.pcpd.org.hk/english, then"
    page = visitors()

    def tell(route: Route) -> None:
        reply = {"at": "2023-05-08T04:00:00Z", "language": "en", "choices": [], "text": said}
        told = "".join(
            f"id: {number}\nevent: reply\ndata: {json.dumps({**reply, 'number': number, 'author': author})}\n\n"
            for number, author in ((1, "assistant"), (2, "staff"))
        )
        route.fulfill(content_type="text/event-stream", body=told)

    page.route("**/api/chat/events**", tell)
    frame = open_widget(page, embedding.host.foreign)
    ask(frame, "What happened?")
    expect(frame.locator("#log .from-bot .words")).to_have_text(said)
    expect(frame.locator("#log .from-staff .words")).to_have_text(said)
    links = frame.locator("#log a").evaluate_all("nodes => nodes.map((node) => [node.href, node.rel, node.target])")
    assert links == [["https://www.pcpd.org.hk/english", "noopener noreferrer", "_blank"]]
    assert frame.locator("#log b").count() == 0
