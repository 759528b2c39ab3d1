"""STOP, START and HELP, as Twilio hears them before the customer does.

Docs: Twilio support for opt-out keywords (SMS STOP filtering); Messaging Services, Advanced Opt-Out.
"""

from __future__ import annotations

from simulator.configuration import Sender, Service
from simulator.world import World

STOP = {"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"}
START = {"START", "UNSTOP", "YES"}
HELP = {"HELP", "INFO"}

REPLIES = {
    "STOP": "You have successfully been unsubscribed. You will not receive any more messages from this number. "
    "Reply START to resubscribe.",
    "START": "You have successfully been re-subscribed to messages from this number. Reply HELP for help. "
    "Reply STOP to unsubscribe.",
    "HELP": "Reply STOP to unsubscribe.",
}


def heard(sender: Sender, service: Service | None, text: str) -> str | None:
    """`STOP`, `START` or `HELP` when the whole text is such a word, by the default list or the service's own."""
    word = text.strip().upper()
    own = service.advanced_opt_out if service else None
    if sender.kind == "whatsapp" and own is None:
        return None  # the default words are for SMS; WhatsApp has none without Advanced Opt-Out
    lists = {"STOP": STOP, "START": START, "HELP": HELP}
    if own:
        for kind, words in (("STOP", own.stop), ("START", own.start), ("HELP", own.help)):
            lists[kind] = lists[kind] | {one.strip().upper() for one in words}
    return next((kind for kind, words in lists.items() if word in words), None)


def reply(service: Service | None, kind: str) -> str:
    """What is answered in the customer's name."""
    own = service.advanced_opt_out if service else None
    if own is None:
        return REPLIES[kind]
    return {"STOP": own.stop_reply, "START": own.start_reply, "HELP": own.help_reply}[kind]


def scope(world: World, sender: str) -> str:
    """What an opt-out holds for: the whole service the sender belongs to, else the sender."""
    service = world.configuration.twilio.service_of(sender)
    return service.sid if service else sender


def opt(world: World, sender: str, recipient: str, *, out: bool) -> None:
    """Opt a recipient out of a sender, or in again."""
    values = [scope(world, sender), recipient]
    if out:
        world.store.run("INSERT OR IGNORE INTO optouts VALUES (?, ?)", values)
    else:
        world.store.run("DELETE FROM optouts WHERE scope = ? AND recipient = ?", values)


def is_out(world: World, sender: str, recipient: str) -> bool:
    """Whether this sender may not write to this recipient (docs: Error 21610)."""
    values = [scope(world, sender), sender, recipient]
    return world.store.one("SELECT 1 FROM optouts WHERE scope IN (?, ?) AND recipient = ?", values) is not None
