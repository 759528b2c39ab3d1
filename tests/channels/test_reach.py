"""What `doctor` says of the channels: what is missing, what waits, and how far templates are approved."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from bot.base.database import Database
from bot.base.vault import BlindIndex, Vault
from bot.channels.base import HookKind
from bot.channels.registry import channels
from bot.cli import provider, reach
from bot.conversations.post import floods, hooks
from tests.channels.conftest import Post
from tests.channels.signing import MAKERS, account, letter, mail_fields
from tests.engine.running import free_port
from tests.make import FakeClock


def said(found: list[reach.Said], what: str) -> tuple[bool | None, str]:
    return next((well, words) for name, well, words in found if name == what)


def test_missing_templates_are_said_before_they_are_needed(tmp_path: Path) -> None:
    well, words = said(list(reach.configured(account(tmp_path))), "WhatsApp templates")
    assert well is False
    assert "CANDOUR_WHATSAPP_TEMPLATES" in words
    english = account(tmp_path, whatsapp_templates="en=HX" + "0" * 32)
    assert said(list(reach.configured(english)), "WhatsApp templates") == (None, "for en; none for zh-Hant")
    both = account(tmp_path, whatsapp_templates=f"en=HX{'0' * 32},zh-Hant=HX{'1' * 32}")
    assert said(list(reach.configured(both)), "WhatsApp templates")[0] is True


def test_what_waits_and_what_was_not_answered_is_shown_with_its_reason(
    tmp_path: Path, database: Database, vault: Vault, index: BlindIndex, clock: FakeClock
) -> None:
    limits = floods.Limits(altogether=1, domain=1)
    desk = hooks.Desk(channels(account(tmp_path), clock), vault, index, limits=limits)
    mail = desk.channels["email"]
    letters = [letter(mail_fields("hello", sender=f"p{n}@evil.example", headers=f"X-Number: {n}\n")) for n in range(3)]
    letters.append(letter(mail_fields("I am away", headers="Auto-Submitted: auto-replied\n")))
    with database.writing() as session:
        arrived = [(HookKind.SENDGRID_INBOUND, mail.keep(one)) for one in letters]
        arrived.append((HookKind.TWILIO_STATUS, desk.channels["sms"].keep(MAKERS["sms"].event("delivered", "nobody", "SM9"))))
        hooks.store(session, vault, arrived, clock())
        hooks.apply(session, desk, clock())
    with database.reading() as session:
        found = list(reach.waiting(session, clock()))
    assert said(found, "held hooks")[1].endswith(": 2 flood_domain")
    assert said(found, "ignored hooks")[1].endswith(": 1 auto_submitted, 1 unknown_reference")
    assert "evil" not in str(found)


@pytest.mark.chaos
def test_live_asks_how_far_each_template_is_approved(post: Post) -> None:
    settings = post.application.settings
    english = provider.TEMPLATES.partition(",")[0].partition("=")[2]
    body = {"sid": english, "body": "We have an answer.", "approval": "pending"}
    assert httpx.post(f"{post.simulator}/simulator/templates", json=body, trust_env=False, timeout=60).status_code == 200
    found = list(reach.live(settings))
    assert said(found, "WhatsApp template en") == (False, "pending")
    assert said(found, "WhatsApp template zh-Hant") == (True, "approved")
    assert all(well for name, well, _ in found if name.startswith("provider of"))


@pytest.mark.chaos
def test_live_says_of_each_provider_what_is_wrong_and_goes_on_to_the_next(post: Post) -> None:
    settings = post.application.settings
    wrong = settings.model_copy(update={"twilio_auth_token": SecretStr("f" * 32)})
    found = {name: (well, words) for name, well, words in reach.live(wrong)}
    assert found["provider of email"] == (True, "the key may send mail")
    assert [found[f"provider of {name}"][0] for name in ("sms", "whatsapp")] == [False, False]
    assert "f" * 32 not in str(found)
    gone = settings.model_copy(update={"sendgrid_url": f"http://127.0.0.1:{free_port()}"})
    found = {name: (well, words) for name, well, words in reach.live(gone)}
    assert (found["provider of email"][0], found["provider of sms"][0]) == (False, True)
    assert post.arrived("sms") == post.arrived("email") == []
