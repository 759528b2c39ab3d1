"""What concerns one patient's own data; the application asks for proof first, if it can do it yet."""

from __future__ import annotations

from actions.deed import Deed


class AmIAffected(Deed):
    """Which categories of this person's data were on the affected system."""

    deed = "am_i_affected"


class MyNotices(Deed):
    """Which notices were sent to this person, and when."""

    deed = "my_notices"


class ResendNotice(Deed):
    """Send the last notice once more, to a contact point on file."""

    deed = "resend_notice"


class ChangeContact(Deed):
    """Change a contact point, never out of free text."""

    deed = "change_contact"


class MyCase(Deed):
    """How this person's case stands."""

    deed = "my_case"
