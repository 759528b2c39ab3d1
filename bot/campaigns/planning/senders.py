"""Under which name text messages of a campaign leave: in Hong Kong a registered `#` id, or a reason why not (OFCA)."""

from __future__ import annotations

import re

from bot.base.errors import BadInput
from bot.campaigns.office import Office
from bot.campaigns.plan import Plan
from bot.patients.models import Way

LONGEST = 11
"""Characters of an alphanumeric sender id, the `#` counted (Twilio, carriers of Hong Kong)."""
_NUMBER = re.compile(r"\+?\d{4,15}")
_NAMED = re.compile(r"#?[A-Za-z0-9 ]*[A-Za-z][A-Za-z0-9 ]*")


def checked(office: Office, plan: Plan) -> None:
    """Raise BadInput when text messages would leave under a sender id that cannot be, or that is not a registered one."""
    sender = office.sends_as(Way.SMS.value)
    if Way.SMS not in plan.ladder or not sender:
        return
    if not _NUMBER.fullmatch(sender) and (len(sender) > LONGEST or not _NAMED.fullmatch(sender)):
        raise BadInput(f"A sender id has at most {LONGEST} letters and digits: CANDOUR_CAMPAIGN_SENDER is none.")
    if office.reaches_patients and not sender.startswith("#") and not plan.sender_override.strip():
        raise BadInput(
            "Text messages to Hong Kong need the registered sender id that begins with #: set CANDOUR_CAMPAIGN_SENDER, "
            "or give a reason in the plan."
        )
