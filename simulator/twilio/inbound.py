"""What a recipient types into the phone, and how the customer hears of it: the incoming message webhook and its TwiML answer."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree

from simulator.configuration import Sender, plain
from simulator.courier import INBOUND, Letter, send
from simulator.twilio import optout
from simulator.twilio.segments import cut
from simulator.twilio.sending import Step, queued_step
from simulator.twilio.status import Status
from simulator.world import World, new_sid

TEXT_MOST = 1_600
WHATSAPP_MOST = 4_096


class CannotWrite(ValueError):
    """Nobody can write to this address."""


@dataclass(frozen=True)
class Typed:
    """What the recipient sends: `media` are content types; a button or a place only on WhatsApp."""

    patient: str
    to: str
    text: str = ""
    media: list[str] = field(default_factory=list)
    profile: str = ""
    button: str = ""
    place: tuple[float, float] | None = None
    sid: str = ""
    times: int = 1


def receive(world: World, typed: Typed) -> str:
    """Take an incoming message, in the caller's transaction; returns its SID; raises CannotWrite."""
    twilio = world.configuration.twilio
    sender = twilio.sender(typed.to)
    if sender is None:
        raise CannotWrite(f"no sender {typed.to[:40]!r} in the configuration")
    if not sender.is_two_way:
        raise CannotWrite("an alphanumeric sender cannot be answered")
    if not re.fullmatch(r"\+[1-9]\d{6,14}", typed.patient):
        raise CannotWrite("the patient's number must look like +85291234567")
    if len(typed.text) > (WHATSAPP_MOST if sender.kind == "whatsapp" else TEXT_MOST):
        raise CannotWrite("the text is too long")
    is_whatsapp = sender.kind == "whatsapp"
    address = f"whatsapp:{typed.patient}" if is_whatsapp else typed.patient
    sid = typed.sid or new_sid("MM" if typed.media else "SM")
    service = twilio.service_of(sender.number)
    word = optout.heard(sender, service, typed.text)
    if not world.store.one("SELECT 1 FROM texts WHERE sid = ?", [sid]):
        _store(world, sender, typed, sid=sid, address=address)
    if is_whatsapp:
        world.store.run("INSERT OR REPLACE INTO windows VALUES (?, ?, ?)", [sender.number, address, world.clock.now()])
    if word:
        _opt(world, sender, address, word)
    form = _form(world, sender, typed, sid=sid, address=address)
    if word and service and service.advanced_opt_out:
        form["OptOutType"] = word
    url = sender.inbound_url or (service.inbound_url if service else "") or twilio.inbound_url
    send(world, Letter(INBOUND, url, form, sid), waits=[0.0] * typed.times)
    return sid


def _opt(world: World, sender: Sender, address: str, word: str) -> None:
    was_out = optout.is_out(world, sender.number, address)
    if word != "HELP":
        optout.opt(world, sender.number, address, out=word == "STOP")
    if word == "STOP" and was_out:
        return  # answered only the first time
    text = optout.reply(world.configuration.twilio.service_of(sender.number), word)
    answer(world, sender, address, text)


def answer(world: World, sender: Sender, address: str, text: str) -> None:
    """A reply of Twilio's own, or out of TwiML: goes out whatever the opt-out says."""
    now = world.clock.now()
    row: dict[str, Any] = {
        "sid": new_sid("SM"),
        "channel": "whatsapp" if sender.kind == "whatsapp" else "sms",
        "direction": "outbound-reply",
        "sender": sender.number,
        "recipient": address,
        "body": text,
        "status": Status.QUEUED,
        "segments": cut(text).segments,
        "service": None,
        "callback": "",
        "created": now,
        "updated": now,
        "patient": plain(address),
    }
    world.store.insert("texts", row)
    steps = [Step(0.1, Status.SENDING), Step(0.2, Status.SENT), Step(0.8, Status.DELIVERED, arrives=True)]
    world.store.insert_all("steps", [queued_step(row["sid"], now, step) for step in steps])


def replied(world: World, sid: str, content: bytes) -> None:
    """Take the TwiML a webhook was answered with: every `<Message>` is sent (docs: TwiML for Programmable Messaging)."""
    row = world.store.one("SELECT * FROM texts WHERE sid = ?", [sid])
    if row is None or not content.lstrip().startswith(b"<"):
        return
    sender = world.configuration.twilio.sender(row["recipient"])
    try:
        tree = ElementTree.fromstring(content)  # noqa: S314 - expat bounds the growth of entities, the courier the size
    except (ElementTree.ParseError, ValueError, LookupError):
        return
    if sender is None or tree.tag != "Response":
        return
    for element in tree.iter("Message"):
        text = ((element.text or "") + "".join(body.text or "" for body in element.iter("Body"))).strip()[:TEXT_MOST]
        if text and not optout.is_out(world, sender.number, row["sender"]):
            answer(world, sender, row["sender"], text)


def _store(world: World, sender: Sender, typed: Typed, *, sid: str, address: str) -> None:
    now = world.clock.now()
    world.store.insert(
        "texts",
        {
            "sid": sid,
            "channel": "whatsapp" if sender.kind == "whatsapp" else "sms",
            "direction": "inbound",
            "sender": address,
            "recipient": sender.number,
            "body": typed.text,
            "status": Status.RECEIVED,
            "segments": cut(typed.text).segments,
            "service": None,
            "callback": "",
            "media": json.dumps(typed.media),
            "created": now,
            "updated": now,
            "sent": now,
            "patient": typed.patient,
        },
    )


def _form(world: World, sender: Sender, typed: Typed, *, sid: str, address: str) -> dict[str, str]:
    """The parameters of an incoming message (docs: Programmable Messaging, Twilio's Request to your Webhook URL)."""
    service = world.configuration.twilio.service_of(sender.number)
    form: dict[str, Any] = {
        "MessageSid": sid,
        "SmsSid": sid,
        "SmsMessageSid": sid,
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
        "AccountSid": world.credentials.twilio_account_sid,
        "From": address,
        "To": sender.number,
        "Body": typed.text,
        "NumMedia": str(len(typed.media)),
        "NumSegments": str(cut(typed.text).segments),
    }
    if service:
        form["MessagingServiceSid"] = service.sid
    base = f"{world.origin}/2010-04-01/Accounts/{world.credentials.twilio_account_sid}/Messages/{sid}/Media"
    for place, kind in enumerate(typed.media):
        form |= {f"MediaContentType{place}": kind, f"MediaUrl{place}": f"{base}/ME{place:032x}"}
    if sender.kind != "whatsapp":
        blank = {f"{end}{part}": "" for end in ("From", "To") for part in ("City", "State", "Zip")}
        return {**form, **blank, "FromCountry": "HK" if address.startswith("+852") else "", "ToCountry": "HK"}
    form |= {"ProfileName": typed.profile or "Patient", "WaId": plain(address).lstrip("+"), "MessageType": _message_type(typed)}
    form["ReferralNumMedia"] = "0"
    if typed.button:
        form |= {"ButtonText": typed.text, "ButtonPayload": typed.button}
    if typed.place:
        form |= {"Latitude": str(typed.place[0]), "Longitude": str(typed.place[1])}
    return form


def _message_type(typed: Typed) -> str:
    if typed.media:
        return typed.media[0].partition("/")[0]
    return "button" if typed.button else "location" if typed.place else "text"
