"""Every setting of Candour, read once from the environment, `.env` and secret files.

Nothing else reads the environment. A secret may come from the variable `CANDOUR_<NAME>` or from a
file `candour_<name>` in `<home>/secrets` (made by the first start, mode 600) or in the folder named
by `CANDOUR_SECRETS_DIR`. No secret and no address with a password is ever printed.
"""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from bot.base.errors import Misconfigured
from bot.base.languages import Language

REPOSITORY = Path(__file__).resolve().parents[2]

SECRETS = ("vault_keys", "index_keys", "audit_keys", "engine_token")
"""The secrets every installation has; `candour up` makes the missing ones on its first start."""


class Settings(BaseSettings):
    """What an operator can set; each field's description is its documentation."""

    model_config = SettingsConfigDict(env_prefix="CANDOUR_", env_file_encoding="utf-8", env_ignore_empty=True, extra="ignore")

    home: Path = Field(REPOSITORY / "var", description="Folder of the database, models, logs and secrets.")
    data: Path = Field(REPOSITORY / "data", description="Folder of proposals: topics, flows, facts, safety words.")
    secrets_dir: Path | None = Field(None, description="Folder of the secret files; empty means `secrets` in `home`.")
    # Both addresses may hold a password: kept out of every print.
    database_url: str = Field("", repr=False, description="SQLAlchemy address; empty means SQLite in `home`.")
    huey_url: str = Field("", repr=False, description="PostgreSQL address of the doorbell queue; empty means SQLite in `home`.")

    web_host: str = Field("127.0.0.1", description="Address the web process listens on.")
    web_port: int = Field(8080, ge=1, le=65535, description="Port of the web process.")
    public_url: str = Field("", description="The address patients see, such as https://help.example.hk; empty in development.")
    embed_origins: str = Field(
        "", description="Comma-separated origins of sites that may embed the chat, such as https://www.example.hk; empty: none."
    )
    trusted_proxies: str = Field("127.0.0.1", description="Comma-separated addresses whose X-Forwarded-For is believed.")
    engine_port: int = Field(5005, ge=1, le=65535, description="Loopback port of the engine.")
    engine_url: str = Field("", description="Address of the engine; empty means loopback at `engine_port`.")
    actions_port: int = Field(5055, ge=1, le=65535, description="Loopback port of the action server.")
    engine_timeout_s: float = Field(8.0, gt=0, le=60, description="Seconds after which a silent engine has failed.")

    # Counted per web process; `a per b; c per d` means both. The streams are those open at the same time.
    limit_session_turns: str = Field("6 per 10 second; 20 per minute", description="Turns one patient's session may send.")
    limit_address_turns: str = Field("300 per minute", description="Turns that may come from one address.")
    limit_address_sessions: str = Field("20 per minute; 200 per hour", description="Sessions one address may open.")
    limit_address_requests: str = Field("1500 per minute", description="Requests of any kind from one address.")
    limit_token_requests: str = Field("600 per minute", description="Requests one program's token may make.")
    limit_address_refusals: str = Field("30 per minute", description="Wrong tokens that may come from one address.")
    limit_session_streams: int = Field(8, ge=1, description="Event streams one session may hold open.")
    limit_address_streams: int = Field(200, ge=1, description="Event streams one address may hold open.")

    # Providers. Without an account `up` starts the simulator and uses that.
    simulator: bool = Field(True, description="Start the provider simulator and use it while no provider account is set.")
    simulator_port: int = Field(8100, ge=1, le=65535, description="Loopback port of the simulator and its page.")
    hooks_url: str = Field("", description="Address at which providers reach us; empty means `public_url`.")
    provider_timeout_s: float = Field(15.0, gt=0, le=60, description="Seconds after which a silent provider is given up.")
    twilio_url: str = Field("", description="Address of Twilio's API; empty means Twilio itself.")
    twilio_account_sid: str = Field("", description="Twilio account, `AC…`.")
    twilio_auth_token: SecretStr = Field(SecretStr(""), description="Twilio's primary auth token; it also checks signatures.")
    sms_numbers: str = Field("", description="Comma-separated own numbers for SMS, such as +85264500001.")
    whatsapp_numbers: str = Field("", description="Comma-separated own numbers for WhatsApp, without `whatsapp:`.")
    whatsapp_templates: str = Field(
        "", description="Approved WhatsApp texts by language, such as en=HX…,zh-Hant=HX…; sent after 24 hours of silence."
    )
    sendgrid_url: str = Field("", description="Address of SendGrid's API; empty means SendGrid itself.")
    sendgrid_api_key: SecretStr = Field(SecretStr(""), description="SendGrid key that may send mail.")
    sendgrid_webhook_key: str = Field("", description="Public key of SendGrid's signed event webhook.")
    email_addresses: str = Field("", description="Comma-separated own e-mail addresses; patients write to them.")
    email_name: str = Field("", description="Name beside the own e-mail address; empty means none.")
    inbound_secret: SecretStr = Field(SecretStr(""), description="Secret in the address of Inbound Parse; empty refuses all.")

    webhook_networks: str = Field(
        "",
        description="Comma-separated private networks that webhooks may reach, such as 10.20.0.0/24; empty: public ones only.",
    )

    transcripts_kept_days: int = Field(
        730, ge=30, description="Days after the last turn after which a conversation's words are emptied; legal hold keeps them."
    )
    hooks_kept_days: int = Field(30, ge=1, description="Days after which what a provider posted is emptied; its proof stays.")
    limit_letters: int = Field(2000, ge=1, description="E-mails an hour from strangers that are read at once; more wait.")
    limit_letters_domain: int = Field(200, ge=1, description="The same from one domain; a wave from it delays nobody else.")

    limit_codes_day: int = Field(5000, ge=0, description="One-time codes sent a day, all together: each SMS costs money.")
    code_countries: str = Field(
        "852,853,86,886,44,61,62,63,65", description="Comma-separated country codes of numbers to which codes are sent."
    )

    campaigns_live: bool = Field(False, description="Whether approved campaigns may reach patients; without it only tests leave.")
    campaign_test_addresses: str = Field(
        "", description="Comma-separated e-mail addresses and numbers that test sends of campaigns may reach."
    )
    campaign_sender: str = Field(
        "", description="Registered sender id of text messages in campaigns, such as #Candour; without it the first SMS number."
    )
    campaign_addresses_kept_days: int = Field(
        365,
        ge=1,
        description="Days after a campaign's end after which `campaign purge` may empty its addresses; the proof stays.",
    )
    campaign_desk_cases: int = Field(50, ge=0, description="Cases waiting at the desk above which no further wave begins.")
    whatsapp_notices: str = Field(
        "", description="Approved WhatsApp texts of notices, such as first_notice.en=HX…,first_notice.zh-Hant=HX…."
    )

    demo: bool = Field(True, description="Publish the shipped incident with a demo approver when nothing is published.")

    vault_keys: SecretStr = Field(SecretStr(""), description="`id:base64,…` 256-bit keys for personal data, newest first.")
    index_keys: SecretStr = Field(SecretStr(""), description="`id:base64,…` keys of the blind indexes, newest first.")
    audit_keys: SecretStr = Field(SecretStr(""), description="`id:base64,…` keys of the audit seal, newest first.")
    engine_token: SecretStr = Field(SecretStr(""), description="Bearer token of the engine's door.")

    @field_validator("home", "data", "secrets_dir")
    @classmethod
    def _absolute(cls, folder: Path | None) -> Path | None:
        # The processes of one installation need not share a working directory.
        return folder.expanduser().absolute() if folder else None

    @field_validator("code_countries")
    @classmethod
    def _countries(cls, text: str) -> str:
        if not re.fullmatch(r"\s*\+?[1-9]\d{0,3}\s*(,\s*\+?[1-9]\d{0,3}\s*)*", text):
            raise ValueError("must be country codes with commas between, such as 852,853,86")
        return text

    @field_validator("whatsapp_templates")
    @classmethod
    def _templates(cls, text: str) -> str:
        for one in text.split(","):
            language, _, content = one.partition("=")
            if one.strip() and not (language.strip() in set(Language) and re.fullmatch(r"HX[0-9a-fA-F]{32}", content.strip())):
                raise ValueError("must hold languages with a content id each, such as en=HX0123456789abcdef0123456789abcdef")
        return text

    @property
    def database(self) -> str:
        """The address of the database, with the default filled in."""
        return self.database_url or f"sqlite:///{self.home / 'candour.sqlite3'}"

    @property
    def engine(self) -> str:
        """The address of the engine, with the default filled in."""
        return self.engine_url or f"http://127.0.0.1:{self.engine_port}"

    @property
    def hooks(self) -> str:
        """The address at which providers reach us; a provider on this machine reaches the web process itself."""
        here = f"http://127.0.0.1:{self.web_port}" if self.twilio_url or self.sendgrid_url else ""
        return (self.hooks_url or self.public_url or here).rstrip("/")

    def own_addresses(self, channel: str) -> tuple[str, ...]:
        """Our own numbers or addresses on a channel, in the order they were set."""
        listed = {"sms": self.sms_numbers, "whatsapp": self.whatsapp_numbers, "email": self.email_addresses}[channel]
        return tuple(one.strip() for one in listed.split(",") if one.strip())

    @property
    def templates(self) -> dict[str, str]:
        """The content id of the approved WhatsApp text per language."""
        pairs = (one.partition("=") for one in self.whatsapp_templates.split(",") if one.strip())
        return {language.strip(): content.strip() for language, _, content in pairs}

    @property
    def notice_templates(self) -> dict[str, str]:
        """The content id of the approved WhatsApp text per notice and language, as `notice.language`."""
        pairs = (one.partition("=") for one in self.whatsapp_notices.split(",") if one.strip())
        return {name.strip(): content.strip() for name, _, content in pairs}

    @property
    def reaches_nobody(self) -> bool:
        """Whether both providers are on this machine, as the simulator is: then nothing leaves it."""
        hosts = {urlsplit(address).hostname for address in (self.twilio_url, self.sendgrid_url)}
        return hosts <= {"127.0.0.1", "localhost", "::1"}

    @property
    def secrets_folder(self) -> Path:
        """Where the secret files of this installation lie."""
        return self.secrets_dir or self.home / "secrets"

    def secret(self, name: str) -> str:
        """The value of one secret; raises Misconfigured when it is not set."""
        value: SecretStr = getattr(self, name)
        if not value.get_secret_value():
            raise Misconfigured(
                f"The secret {name} is not set: give CANDOUR_{name.upper()} or a file candour_{name} "
                "in the secrets folder (`./candour up` makes them on its first start)."
            )
        return value.get_secret_value()


_WRONG = {
    "int_parsing": "must be a whole number",
    "float_parsing": "must be a number",
    "bool_parsing": "must be true or false",
    "greater_than": "must be more than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "value_error": "{error}",
}
"""What pydantic finds wrong with a setting, in our words; never with the value, which may be a secret."""


def _what_is_wrong(found: ErrorDetails) -> str:
    return _WRONG.get(found["type"], "cannot be read").format_map(found.get("ctx") or {})


def load_settings(env_file: Path | None = REPOSITORY / ".env") -> Settings:
    """Read all settings once; raises Misconfigured naming each wrong one without its value."""
    try:
        settings = Settings(_env_file=env_file)
        if settings.secrets_folder.is_dir():
            return Settings(_env_file=env_file, _secrets_dir=settings.secrets_folder)
    except ValidationError as wrong:
        lines = [f"CANDOUR_{'_'.join(map(str, one['loc'])).upper()} {_what_is_wrong(one)}" for one in wrong.errors()]
        raise Misconfigured(f"Settings are wrong: {'; '.join(lines)}.") from None
    except (OSError, UnicodeError, SettingsError) as wrong:
        raise Misconfigured(f"The settings or secret files cannot be read: {type(wrong).__name__}.") from None
    if settings.secrets_dir is not None:
        raise Misconfigured(f"CANDOUR_SECRETS_DIR names {settings.secrets_dir}, which is not a folder.")
    return settings
