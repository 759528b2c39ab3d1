"""The notice page as the server makes it: what it says, in which version, and to whom it says nothing."""

from __future__ import annotations

import asyncio
import copy
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from bot.assembly import Application
from bot.base.languages import Language
from bot.conversations.speaking import publication
from bot.conversations.speaking.publication import Publication
from bot.desk.hours import switches
from bot.desk.records import Switch
from bot.desk.staff.models import StaffAccount
from bot.web.app import create_app
from bot.web.labels import all_labels
from bot.web.limits import UNLIMITED
from bot.web.shield import LOADER_INTEGRITY, LOADER_PATH
from tests.make import FakeClock
from tests.web.conftest import Patient, serving

PARTS = ("notice_known", "notice_open", "notice_data", "notice_steps", "notice_reach", "notice_genuine", "versions")


def publish(application: Application, content: dict[str, Any], clock: FakeClock, **more: Any) -> int:
    """Put a content into force and say under which number."""
    with application.database.writing() as session:
        proposed = publication.propose(session, content, by="demo editor", at=clock())
        publication.approve(session, proposed.id, by="demo approver", at=clock(), **more)
        return int(proposed.id)


def with_fact(content: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """The content with these facts known."""
    changed = copy.deepcopy(content)
    for name, value in facts.items():
        changed["facts"][name] = {**changed["facts"][name], "value": value, "as_of": {"date": "2023-05-12"}}
    return changed


def without_notice(content: dict[str, Any]) -> dict[str, Any]:
    """The content as it was before there were wordings of a notice."""
    kept = {name: said for name, said in content["wordings"].items() if not name.startswith("notice_")}
    return {**content, "wordings": kept}


def text(page: str) -> str:
    """What is read of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


@pytest.mark.parametrize("lang", list(Language))
def test_the_notice_is_the_first_page_in_each_language(patient: Patient, lang: Language) -> None:
    answer = patient.client.get(f"/?lang={lang.value}")
    page, labels = answer.text, all_labels()[lang].labels
    assert answer.status_code == 200
    assert answer.headers["content-language"] == lang.value
    assert page.lstrip().startswith("<!doctype html>")
    assert f'<html lang="{lang.value}">' in page
    assert re.findall(r'<section id="([a-z_]+)"', page) == list(PARTS)
    for name in ("notice_known", "notice_open", "notice_steps", "notice_genuine", "notice_ask", "notice_first"):
        assert labels[name] in page
    assert page.count("<ol") == 1
    assert page.count("<li>", page.index("<ol"), page.index("</ol>")) == 7
    for number in ("999", "18222", "18111"):
        assert f'href="tel:{number}"' in page
    assert f'href="/chat?lang={lang.value}"' in page


def test_the_notice_needs_no_script_and_sets_no_cookie(patient: Patient) -> None:
    answer = patient.client.get("/")
    assert "set-cookie" not in answer.headers
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<script(?![^>]*src=)|<style|\son\w+=|\sstyle=", answer.text)
    outside = re.findall(r'(?:src|href)="(https?:[^"]+)"', answer.text)
    assert outside == ["https://www.hko.gov.hk/"]  # "leave quickly", which nothing loads
    assert f'src="{LOADER_PATH}" integrity="{LOADER_INTEGRITY}" crossorigin="anonymous"' in answer.text


def test_the_notice_is_in_the_language_of_the_conversation(patient: Patient) -> None:
    patient.open(lang="zh-Hans")
    assert '<html lang="zh-Hans">' in patient.client.get("/").text
    assert '<html lang="id">' in patient.client.get("/?lang=id").text
    assert '<html lang="en">' in httpx.get(patient.client.base_url, trust_env=False, timeout=60).text


def test_a_fact_moves_from_not_known_to_known(application: Application, content: dict[str, Any], clock: FakeClock) -> None:
    publish(application, content, clock)
    with serving(application) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        before = text(client.get("/").text)
        assert "Not known yet: whether records were taken or copied, and how many." in before
        clock.advance(days=1)
        publish(application, with_fact(content, amount_taken={"en": "names of some patients were copied"}), clock)
        after = text(client.get("/").text)
        assert "whether records were taken or copied, and how many" not in after
        assert "Taken or copied, as of 12 May 2023: names of some patients were copied." in after
        assert "Not known yet: whether the data can be found online." in after


def test_every_earlier_version_stays_readable_with_its_dates(
    application: Application, content: dict[str, Any], clock: FakeClock
) -> None:
    first = publish(application, content, clock)
    clock.advance(days=1)
    other = copy.deepcopy(content)
    other["wordings"]["greeting"]["texts"]["en"]["text"] += " Hello again."
    same = publish(application, other, clock)
    clock.advance(days=1)
    third = publish(application, with_fact(content, hotline="2000 0000"), clock)
    with serving(application) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        now = client.get("/").text
        assert 'href="tel:20000000"' in now
        # One that changed nothing in the notice is no version of it.
        assert re.findall(r'href="(/notice/\d+)\?lang=en"', now) == [f"/notice/{first}"]
        assert client.get(f"/notice/{same}").status_code == 404
        old = client.get(f"/notice/{first}?lang=en").text
        assert "This is an earlier version." in old
        assert '<a href="/?lang=en">Read the current version</a>' in old
        assert '<meta name="robots" content="noindex">' in old
        body = old[old.index('class="body"') :]
        assert "We cannot tell you this yet: When people answer in the chat · Phone · Phone hours · E-mail" in text(body)
        # Whom to call is today's.
        assert 'href="tel:20000000"' in old[: old.index("<main")]
        # The languages of an old version lead to the same version.
        assert f'href="/notice/{first}?lang=zh-Hant"' in old
        current = client.get(f"/notice/{third}").text
        assert "This is an earlier version." not in current


def test_going_back_makes_a_version_of_its_own(application: Application, content: dict[str, Any], clock: FakeClock) -> None:
    numbers = []
    for said in (content, with_fact(content, hotline="2000 0000"), content):
        numbers.append(publish(application, said, clock))
        clock.advance(days=1)
    with serving(application) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        page = client.get("/?lang=zh-Hant").text
        assert re.findall(r'href="/notice/(\d+)\?lang=zh-Hant"', page) == [str(numbers[1]), str(numbers[0])]


def test_what_is_only_proposed_or_still_to_come_has_no_page(
    application: Application, content: dict[str, Any], clock: FakeClock
) -> None:
    publish(application, content, clock)
    changed = with_fact(content, hotline="2999 9999")
    later = publish(application, changed, clock, effective_at=clock() + timedelta(hours=1))
    with application.database.writing() as session:
        proposed = publication.propose(session, with_fact(content, hotline="2888 8888"), by="demo editor", at=clock()).id
        rejected = publication.propose(session, with_fact(content, hotline="2777 7777"), by="demo editor", at=clock())
        publication.reject(session, rejected.id, by="demo approver", at=clock())
        refused = rejected.id
        assert session.get(Publication, proposed) is not None
    with serving(application) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        for number in (later, proposed, refused, 0, -1, 10**12, 10**30):
            answer = client.get(f"/notice/{number}")
            assert answer.status_code in (404, 422), number
            assert "2999" not in answer.text
        assert client.get("/notice/x").status_code == 422
        assert "2999 9999" not in client.get("/").text
        clock.advance(hours=1)
        assert "2999 9999" in client.get("/").text


def test_without_a_notice_the_first_page_is_the_chat_and_old_versions_stay(
    application: Application, content: dict[str, Any], clock: FakeClock
) -> None:
    with serving(application) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        page = client.get("/")
        assert page.status_code == 200
        assert 'href="tel:999"' in page.text
        first = publish(application, content, clock)
        clock.advance(days=1)
        publish(application, without_notice(content), clock)
        assert 'id="composer"' in client.get("/").text
        old = client.get(f"/notice/{first}?lang=en")
        assert old.status_code == 200
        assert "This is an earlier version." in old.text


def test_a_fact_becomes_no_markup_and_no_strange_link(
    application: Application, content: dict[str, Any], clock: FakeClock
) -> None:
    hostile = with_fact(
        content,
        clinic_name="<b>&</b></script>",
        hotline="javascript:alert(1)",
        enquiry_email='x@y.example"><img src=x>?cc=z@z.example',
        walk_in_help="<i>here</i>",
    )
    publish(application, hostile, clock)
    with serving(application) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        page = client.get("/").text
    assert "<b>&" not in page
    assert "<i>" not in page
    assert "<img" not in page
    assert not re.search(r'href="(?!/|#|tel:|mailto:|https://www\.hko\.gov\.hk/)', page)


def test_the_clinics_number_and_address_can_be_pressed(
    application: Application, content: dict[str, Any], clock: FakeClock
) -> None:
    publish(application, with_fact(content, hotline="+852 2000 0000", enquiry_email="help@larkmoor.example"), clock)
    with serving(application) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as client:
        page = client.get("/").text
    reach = page[page.index('id="notice_reach"') : page.index('id="notice_genuine"')]
    assert '<a href="tel:+85220000000">+852 2000 0000</a>' in reach
    assert '<a href="mailto:help@larkmoor.example">help@larkmoor.example</a>' in reach


async def first_page(app: FastAPI) -> str:
    """The page of an application that no server runs."""
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://here") as client:
        return (await client.get("/?lang=en")).text


def test_the_page_leads_to_the_check_of_a_message_where_there_is_one(published: Application) -> None:
    for path, is_there in (("/check", True), ("/cheque", False)):
        app = create_app(published, UNLIMITED)
        app.router.routes = [route for route in app.router.routes if getattr(route, "path", "") != "/check"]
        app.add_api_route(path, lambda: "here")
        page = asyncio.run(first_page(app))
        assert ('href="/check?lang=en"' in page) is is_there


def test_the_address_brings_no_markup(patient: Patient) -> None:
    page = patient.client.get('/?lang="><script>alert(1)</script>')
    assert page.status_code == 200
    assert "alert(1)" not in page.text


@pytest.mark.parametrize("lang", list(Language))
def test_while_the_desk_is_in_surge_the_notice_says_how_long_a_person_takes(
    patient: Patient, application: Application, lang: Language
) -> None:
    assert 'id="delay"' not in patient.client.get(f"/?lang={lang.value}").text
    with application.database.writing() as session:
        switches.turn_on(session, application.vault, Switch.SURGE, by="operator", at=application.clock())
        session.add(
            StaffAccount(
                login_entry="i.1.x",
                sealed_profile="x",
                roles=["agent"],
                status="active",
                on_duty=True,
                created_at=application.clock(),
            )
        )
    shown = patient.client.get(f"/?lang={lang.value}").text
    assert re.search(r'id="delay">[^<]*\d+[^<]*\d+[^<]*<', shown)
    with application.database.writing() as session:
        switches.turn_off(session, application.vault, Switch.SURGE, by="operator", at=application.clock())
    assert 'id="delay"' not in patient.client.get(f"/?lang={lang.value}").text
