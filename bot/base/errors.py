"""The errors of Candour, as one small tree.

    CandourError
    ├── BadInput             what a person or file gave us is wrong; says what and where
    ├── Misconfigured        a setting, key or file that an operator must mend
    ├── IllegalMove          a status was asked to go where it may not
    ├── NotAuthentic         a caller could not show who it is
    ├── TooMany              a limit was reached; try again later
    ├── NotPublished         no approved wording to say this with
    │   └── Withheld             the wording is for those who have shown who they are
    ├── Tampered             sealed data does not match its seal
    ├── EngineError          understanding failed: apologise and open a case
    │   ├── EngineUnavailable    nobody answers at its address
    │   ├── EngineSlow           no answer within the time allowed
    │   └── EngineRubbish        an answer that is none
    └── ChannelError         a provider did not take what was to be sent
        ├── Unconfigured         this installation has no account or address for the channel
        ├── AccountFailure       our account or settings are refused: an operator must mend them
        ├── TemporaryFailure     surely not sent; to be tried again
        ├── OutcomeUnknown       it may have been sent or not: only evidence settles it
        └── PermanentFailure     this will never arrive
            └── OptedOut             the patient has stopped messages from this sender

Whether to try again is decided from the class, never from the text. No text here may hold
personal data: it ends up in logs.
"""


class CandourError(Exception):
    """The root of everything Candour raises on purpose."""


class BadInput(CandourError):
    """Input from outside is wrong; the text says what and where, in words for the person who gave it."""


class Misconfigured(CandourError):
    """A setting, key or file is missing or wrong; the text says which and how to mend it."""


class IllegalMove(CandourError):
    """A status was asked to move somewhere its table does not allow."""


class NotAuthentic(CandourError):
    """The caller did not prove who it is; deliberately vague."""


class TooMany(CandourError):
    """A limit was reached."""

    def __init__(self, text: str, *, retry_after_s: int) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


class NotPublished(CandourError):
    """There is no approved wording for this name and language."""


class Withheld(NotPublished):
    """A wording for people who have shown who they are was to be said to somebody who has not."""


class Tampered(CandourError):
    """Sealed or chained data does not match its seal."""


class EngineError(CandourError):
    """The engine gave no usable answer."""


class EngineUnavailable(EngineError):
    """Nobody answers at the engine's address."""


class EngineSlow(EngineError):
    """The engine did not answer within the time allowed."""


class EngineRubbish(EngineError):
    """The engine answered with an error or with something that is not an answer."""


class ChannelError(CandourError):
    """A provider did not take what was to be sent; the text is our own reason, the code the provider's."""

    def __init__(self, reason: str, *, code: str = "") -> None:
        super().__init__(f"{reason} ({code})" if code else reason)
        self.reason = reason
        self.code = code


class Unconfigured(ChannelError):
    """The channel has no account, key or address in this installation."""


class AccountFailure(ChannelError):
    """Our account, sender or settings are refused: whatever is sent waits until an operator mends them."""


class TemporaryFailure(ChannelError):
    """It was surely not sent and may be tried again."""

    def __init__(self, reason: str, *, code: str = "", retry_after_s: float = 0.0, is_limit: bool = False) -> None:
        super().__init__(reason, code=code)
        self.retry_after_s = retry_after_s
        self.is_limit = is_limit  # a rate limit does not use up the tries


class OutcomeUnknown(ChannelError):
    """The call broke off after it may have been taken: never sent again without evidence."""


class PermanentFailure(ChannelError):
    """It will never arrive at this address in this form."""


class OptedOut(PermanentFailure):
    """The patient has stopped messages from this sender."""
