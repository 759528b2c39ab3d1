"""The chat inside other sites' pages: who may frame it, what its cookie says, what the loader weighs."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import httpx
import pytest

from bot.assembly import Application
from bot.base.errors import Misconfigured
from bot.base.languages import Language
from bot.base.settings import Settings
from bot.conversations.transcript import lines_after
from bot.web.patient import STATIC
from bot.web.shield import LOADER, LOADER_INTEGRITY, LOADER_PATH, embed_origins
from tests.web.conftest import serving

CLINIC = "https://www.clinic.example"
OTHER = "https://booking.clinic.example:8443"
OURS = "https://help.clinic.example"
BOTH = {"embed_origins": f"{CLINIC}, {OTHER}/", "public_url": OURS}
LOCAL = {"embed_origins": "http://localhost:9000"}
WHOLE = ("chat.js", "own.js", "page.css", "icon.svg", f"widget/{LOADER}", "widget/frame.js", "widget/frame.css")
"""Everything a patient's browser loads for the widget, the frame's page aside."""

Browser = Callable[..., httpx.Client]


@pytest.fixture
def browser(published: Application) -> Iterator[Browser]:
    """Makes a browser before a door with these settings."""
    with ExitStack() as opened:

        def make(**settings: str) -> httpx.Client:
            changed = replace(published, settings=published.settings.model_copy(update=settings))
            address = opened.enter_context(serving(changed))
            return opened.enter_context(httpx.Client(base_url=address, trust_env=False, timeout=30))

        yield make


def ancestors(answer: httpx.Response) -> str:
    found = re.findall(r"frame-ancestors ([^;]*);", answer.headers["content-security-policy"])
    assert len(found) == 1
    return str(found[0])


# ---------------------------------------------------------------- who may frame it


def test_without_the_setting_nobody_can_embed_us(browser: Browser) -> None:
    client = browser()
    for path in ("/", "/chat", "/widget", "/widget/snippet", LOADER_PATH, "/api/chat/session"):
        answer = client.get(path)
        # Our own notice shows the frame.
        assert ancestors(answer) == ("'self'" if path == "/widget" else "'none'")
        assert answer.headers["x-frame-options"] == ("SAMEORIGIN" if path == "/widget" else "DENY")
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "access-control-allow-origin" not in answer.headers
    assert "No other site may show the chat" in client.get("/widget/snippet").text


def test_only_the_frames_page_may_be_framed_and_only_by_the_named_origins(browser: Browser) -> None:
    client = browser(**BOTH)
    for path in ("/widget", "/widget?site=zh-HK"):
        answer = client.get(path)
        assert answer.status_code == 200
        assert ancestors(answer) == f"'self' {CLINIC} {OTHER}"
        assert "x-frame-options" not in answer.headers
        assert answer.headers["cache-control"] == "no-store"
    for path in ("/", "/chat", "/widget/", "/widget/snippet", "/widget/x", LOADER_PATH, "/static/chat.js", "/api/chat/session"):
        answer = client.get(path)
        assert ancestors(answer) == "'none'"
        assert answer.headers["x-frame-options"] == "DENY"


def test_the_frames_policy_is_as_strict_as_everywhere_else(browser: Browser) -> None:
    client = browser(**BOTH)
    policies = [client.get(path).headers["content-security-policy"] for path in ("/chat", "/widget")]
    strict, framed = (re.sub(r"frame-ancestors [^;]*;", "", policy) for policy in policies)
    assert strict == framed
    page = client.get("/widget").text
    assert not re.search(r"<script(?![^>]*(src=|application/json))|<style|\son\w+=|\sstyle=", page)


def test_a_page_that_may_embed_us_may_still_not_ask_our_api(browser: Browser) -> None:
    client = browser(**BOTH)
    for method, path in (("POST", "session"), ("GET", "session"), ("POST", "turns"), ("GET", "events"), ("POST", "language")):
        answer = client.request(method, f"/api/chat/{path}", headers={"origin": CLINIC})
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    assert client.post("/api/chat/session", json={}, headers={"origin": OURS}).status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        "www.clinic.example",
        "https://",
        "*",
        "https://*.clinic.example",
        "https://clinic.example/path",
        "https://clinic.example?x",
        "https://clinic.example; script-src *",
        "https://clinic.example 'self'",
        "https://name@clinic.example",
        "https://clinic.example:port",
        "https://[clinic.example",
        "https://診所.example",
        "http://clinic.example",
        "javascript:alert(1)",
        "null",
        "'self'",
    ],
)
def test_what_is_no_origin_is_refused(settings: Settings, wrong: str) -> None:
    with pytest.raises(Misconfigured, match="CANDOUR_EMBED_ORIGINS"):
        embed_origins(settings.model_copy(update={"embed_origins": f"{CLINIC},{wrong}", "public_url": OURS}))


def test_other_sites_need_https_on_both_sides_and_this_machine_does_not(settings: Settings) -> None:
    with pytest.raises(Misconfigured, match="CANDOUR_PUBLIC_URL"):
        embed_origins(settings.model_copy(update={"embed_origins": CLINIC}))
    several = f"{CLINIC.upper()}:443,,http://localhost:9000/ , http://127.0.0.1:8000"
    made = embed_origins(settings.model_copy(update={"embed_origins": several, "public_url": OURS}))
    assert made == (CLINIC, "http://localhost:9000", "http://127.0.0.1:8000")


# ---------------------------------------------------------------- the cookie


@pytest.mark.parametrize(
    ("situation", "apart", "expected"),
    [
        ({}, False, {"candour", "SameSite=lax"}),
        ({}, True, {"candour", "SameSite=lax"}),
        (LOCAL, False, {"candour", "SameSite=lax"}),
        (LOCAL, True, {"candour", "SameSite=none", "Secure", "Partitioned"}),
        ({"public_url": OURS}, True, {"__Host-candour", "SameSite=lax", "Secure"}),
        (BOTH, False, {"__Host-candour", "SameSite=lax", "Secure"}),
        (BOTH, True, {"__Host-candour", "SameSite=none", "Secure", "Partitioned"}),
    ],
)
def test_the_cookie_says_what_the_situation_needs(
    browser: Browser, situation: dict[str, str], apart: bool, expected: set[str]
) -> None:
    answer = browser(**situation).post("/api/chat/session", json={"apart": apart})
    assert len(answer.headers.get_list("set-cookie")) == 1
    first, *attributes = answer.headers["set-cookie"].split("; ")
    said = {first.partition("=")[0], *attributes}
    assert said == expected | {"HttpOnly", "Path=/", "Max-Age=2592000"}


def test_a_cookie_kept_apart_opens_its_thread_and_no_second_one(browser: Browser) -> None:
    client = browser(**BOTH)
    client.headers["cookie"] = client.post("/api/chat/session", json={"apart": True}).headers["set-cookie"].split(";")[0]
    assert client.get("/api/chat/session").status_code == 200
    assert "set-cookie" not in client.post("/api/chat/session", json={"apart": True}).headers


@pytest.mark.parametrize(("situation", "cookies"), [({}, 1), (BOTH, 2)])
def test_a_forgotten_thread_is_out_of_reach_and_stays_on_record(
    browser: Browser, published: Application, situation: dict[str, str], cookies: int
) -> None:
    client = browser(**situation)
    held = client.post("/api/chat/session", json={"apart": True}).headers["set-cookie"].split(";")[0]
    client.cookies.clear()
    assert client.post("/api/chat/forget").status_code == 401
    client.headers["cookie"] = held
    answer = client.post("/api/chat/forget")
    assert answer.status_code == 204
    taken = answer.headers.get_list("set-cookie")
    assert len(taken) == cookies
    assert all("Max-Age=0" in cookie and cookie.startswith(f"{held.partition('=')[0]}=") for cookie in taken)
    assert sum("Partitioned" in cookie for cookie in taken) == cookies - 1
    # Also a copy of the cookie opens nothing any more.
    assert client.get("/api/chat/session").status_code == 401
    with published.database.reading() as session:
        assert len(lines_after(session, published.vault, 1, 0)) == 1


# ---------------------------------------------------------------- the frame's page


def body_of(page: str) -> dict[str, str]:
    return dict(re.findall(r'data-([a-z]+)="([^"]*)"', page[page.index("<body") : page.index("<header")]))


@pytest.mark.parametrize(
    ("headers", "query", "apart"),
    [
        ({"sec-fetch-site": "cross-site"}, "", "yes"),
        ({"sec-fetch-site": "same-site"}, "", "no"),
        ({"sec-fetch-site": "same-origin"}, "", "no"),
        ({"sec-fetch-site": "same-origin"}, "?apart=yes", "yes"),
        ({}, "", "yes"),
    ],
)
def test_the_frame_knows_whether_it_stands_in_another_site(
    browser: Browser, headers: dict[str, str], query: str, apart: str
) -> None:
    page = browser(**BOTH).get(f"/widget{query}", headers=headers).text
    assert body_of(page)["apart"] == apart
    assert body_of(page)["hosts"] == f"{CLINIC} {OTHER}"
    # Choosing a language loads the frame anew, from ourselves.
    assert f"/widget?apart={apart}&amp;lang=zh-Hant" in page


def test_the_frame_speaks_the_language_chosen_then_the_threads_then_the_sites_then_the_browsers(browser: Browser) -> None:
    client = browser(**LOCAL)

    def spoken(query: str) -> str:
        return client.get(f"/widget{query}", headers={"accept-language": "id"}).headers["content-language"]

    assert spoken("") == "id"
    assert spoken("?site=zh-CN") == "zh-Hans"
    assert spoken("?site=zh-HK&lang=tl") == "tl"
    client.post("/api/chat/session", json={"lang": "zh-Hant"})
    assert spoken("?site=en") == "zh-Hant"
    assert spoken("?site=en&lang=en") == "en"


@pytest.mark.parametrize("lang", list(Language))
def test_the_statement_and_whom_to_call_stand_in_the_frame(browser: Browser, lang: Language, content: dict[str, Any]) -> None:
    page = browser(**LOCAL).get(f"/widget?lang={lang.value}").text
    assert '<details class="statement" open>' in page
    assert page.count('href="tel:999" target="_top"') == 1
    assert 'href="tel:18111" target="_top"' in page


def test_without_a_publication_the_frame_says_whom_to_call(application: Application) -> None:
    with serving(application) as address:
        page = httpx.get(f"{address}/widget?lang=en", trust_env=False, timeout=60)
    assert page.status_code == 200
    assert 'href="tel:999"' in page.text
    assert 'id="composer"' not in page.text


# ---------------------------------------------------------------- what sites load


def test_the_loader_is_the_file_that_sites_know() -> None:
    digest = base64.b64encode(hashlib.sha384((STATIC / "widget" / LOADER).read_bytes()).digest()).decode()
    assert f"sha384-{digest}" == LOADER_INTEGRITY, (
        "A released loader never changes: give the changed one the next number (docs/howto/embed-the-widget.md)."
    )


def test_the_loader_may_be_read_and_kept_by_the_sites_that_use_it(browser: Browser) -> None:
    answer = browser(**BOTH).get(LOADER_PATH, headers={"origin": CLINIC})
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["content-type"].startswith("text/javascript")


def test_the_snippet_is_ready_to_copy(browser: Browser) -> None:
    text = browser(**BOTH).get("/widget/snippet").text
    assert f'<script src="{OURS}{LOADER_PATH}" integrity="{LOADER_INTEGRITY}" crossorigin="anonymous" defer' in text
    assert f"script-src 'self' {OURS}" in text
    assert f"frame-src 'self' {OURS}" in text
    assert CLINIC in text


def test_the_widget_weighs_little() -> None:
    weights = {name: len(gzip.compress((STATIC / name).read_bytes(), mtime=0)) for name in WHOLE}
    assert sum(weights.values()) < 30 * 1024, weights
    assert weights[f"widget/{LOADER}"] < 8 * 1024


@pytest.mark.parametrize("name", [f"widget/{LOADER}", "widget/frame.js", "chat.js", "own.js"])
def test_no_script_makes_markup_or_code_of_a_text_or_asks_elsewhere(name: str) -> None:
    script = (STATIC / name).read_text()
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(|setAttribute\(\"on", script)
    hosts = set(re.findall(r"https?://[a-z0-9.-]+", script))
    assert hosts <= {"http://www.w3.org"}  # the name of the space of drawings
    assert "Audio" not in script
    assert '"*"' not in script  # nothing is told to whoever listens


def test_the_loader_has_every_word_in_every_language() -> None:
    script = (STATIC / "widget" / LOADER).read_text()
    table = script[script.index("const WORDS") : script.index("const STYLE")]
    blocks = dict(re.findall(r'"?([A-Za-z-]+)"?: \{(.*?)\n    \}', table, re.DOTALL))
    assert set(blocks) == set(Language)
    words = {lang: set(re.findall(r"\b([a-z]+): \"[^\"]+\"", block)) for lang, block in blocks.items()}
    assert len({frozenset(names) for names in words.values()}) == 1
    assert set(re.findall(r"#?words\.([a-z]+)", script)) == words["en"]
    assert all("999" in block and "{count}" in block for block in blocks.values())
