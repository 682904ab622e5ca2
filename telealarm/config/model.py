"""The configuration as a typed model, which `config.file` fills.

Relative paths, also in `sqlite:///relative.db`, start at the folder of the configuration file.
"""

import re
import shlex
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from phonenumbers import SUPPORTED_REGIONS
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)

_KEY_NAME = "telealarm.key"


def _http_url(value: str) -> str:
    """An http(s) address."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address like http://127.0.0.1:8088")
    if parts.username or parts.password:
        raise ValueError("must not hold a user or password; they have keys of their own")
    return value.rstrip("/")


def _database_url(value: str) -> str:
    """A database's address."""
    parts = urlsplit(value)
    if parts.scheme == "sqlite" and value.startswith("sqlite:///") and len(parts.path) > 1:
        return value
    if parts.scheme in ("postgresql", "postgres") and parts.path.strip("/"):
        return value
    raise ValueError("must be sqlite:///path/to/file.db or postgresql://user:password@host/name")


def _zone(value: str) -> str:
    """An IANA time zone."""
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{value!r} is no IANA time zone; one is Europe/Madrid") from None
    return value


def _region(value: str) -> str:
    """A region with a numbering plan."""
    if value not in SUPPORTED_REGIONS:
        raise ValueError(f"{value!r} is no region of phone numbers; one is ES")
    return value


def _name(value: str) -> str:
    """A name of at most 64 letters, digits, `_`, `.` and `-`."""
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value):
        raise ValueError("may hold letters, digits, '_', '.' and '-', 64 at most")
    return value


def _address(value: str) -> str:
    """A mail address."""
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}", value):
        raise ValueError("must be one address like clinic@example.com")
    return value


def _command(value: str) -> str:
    """A command line with `{wav}`."""
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise ValueError(f"cannot be split into words: {error}") from None
    if "{wav}" not in value or not words:
        raise ValueError("must hold {wav}, the file to write; {text_file} is the file to read")
    return value


def _network(value: str) -> str:
    """A network, like `10.0.0.0/8`."""
    try:
        return str(ip_network(value))
    except ValueError:
        raise ValueError(f"{value!r} is no network; one is 10.0.0.0/8") from None


HttpUrl = Annotated[str, AfterValidator(_http_url)]
Name = Annotated[str, AfterValidator(_name)]
Port = Annotated[int, Field(ge=1, le=65535)]
Command = Annotated[str, AfterValidator(_command)]
Network = Annotated[str, AfterValidator(_network)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ApiConfig(_Part):
    """Where the REST API listens."""

    host: str = Field("127.0.0.1", description="The address that the API listens on.")
    port: Port = Field(8000, description="The TCP port that the API listens on.")
    trusted_proxies: list[Network] = Field(
        [],
        description="The addresses or networks of reverse proxies, like [127.0.0.1/32]. What their"
        " X-Forwarded-For and X-Forwarded-Proto say is believed: wrong logins are counted by the"
        " client's address, and links begin with the client's scheme.",
    )
    public_url: HttpUrl | None = Field(
        None,
        description="The address at which the recipients of mails and SMS reach this service, for"
        " the links to confirm, to cancel and to unsubscribe. null: http://<host>:<port>.",
    )


class SmtpConfig(_Part):
    """The mail server for alarms by email."""

    host: str | None = Field(
        None,
        description="The server that takes the mails. null: alarms by email wait until they are"
        " missed.",
    )
    port: Port = Field(587, description="The server's TCP port.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="How the connection is encrypted: starttls, tls (usually port 465), or none (a"
        " relay on this host).",
    )
    user: str | None = Field(
        None, description="The login at the server. null: no login. It needs starttls or tls."
    )
    password: str = Field("", repr=False, description="The password of that login.")
    sender: Annotated[str, AfterValidator(_address)] = Field(
        "telealarm@localhost",
        description="The envelope's sender of every mail: bounces go there. It is also the From of"
        " templates that name none.",
    )
    ca_file: str | None = Field(
        None,
        description="Certificates (PEM) of an authority of your own, in addition to the system's.",
    )
    timeout_seconds: float = Field(
        15.0, gt=0, le=40, description="How long to wait for each answer of the server."
    )

    @model_validator(mode="after")
    def _password_needs_encryption(self) -> "SmtpConfig":
        if self.security == "none" and self.user:
            raise ValueError("a user and password need security: starttls or tls")
        return self


class AriConfig(_Part):
    """Asterisk's REST interface, which places the calls and runs the surveys."""

    url: HttpUrl = Field(
        "http://127.0.0.1:8088", description="The address of Asterisk's HTTP server (http.conf)."
    )
    user: str = Field("telealarm", description="The user of ari.conf.")
    password: str = Field("", repr=False, description="The password of that user.")
    timeout_seconds: float = Field(
        5.0, gt=0, le=60, description="How long to wait for Asterisk's answer to a request."
    )


class AmiConfig(_Part):
    """Asterisk's manager interface, which tells the state of trunks and sends SIP messages."""

    host: str = Field("127.0.0.1", description="The host of manager.conf.")
    port: Port = Field(5038, description="The TCP port of manager.conf.")
    user: str = Field("telealarm", description="The user of manager.conf.")
    password: str = Field("", repr=False, description="The password (secret) of that user.")
    timeout_seconds: float = Field(
        5.0, gt=0, le=60, description="How long to wait for Asterisk's answer to an action."
    )


class AsteriskConfig(_Part):
    """How to reach Asterisk."""

    ari: AriConfig = Field(AriConfig(), description="ARI, which places the calls.")
    ami: AmiConfig | None = Field(
        None,
        description="AMI tells at once when a trunk goes down: its calls wait instead of failing,"
        " and /readyz, /metrics and gateway/ show it. SMS gateways of the kind asterisk need it"
        " too. null: it is not used, and trunks are not watched.",
    )
    trunks: list[Name] = Field(
        [],
        description="The PJSIP endpoints (pjsip.conf) that your gateways dial through; /readyz"
        " watches them.",
    )
    cdr: str | None = Field(
        "/var/log/asterisk/cdr-csv/Master.csv",
        description="Where the fate of a call is looked up after a crash: Asterisk's CDR file on"
        " this host, or a table elsewhere: postgresql://user:${PGPASSWORD}@host/name?table=cdr."
        " null: nowhere.",
    )


class WorkerConfig(_Part):
    """One process of `telealarm serve`; several may share a database."""

    name: Name | None = Field(
        None,
        description="Lasting, and different for each worker on one database: the worker's Stasis"
        " application in Asterisk has this name. null: telealarm-<api.port>.",
    )
    lease_seconds: float = Field(
        30.0, ge=5, le=600, description="Another worker takes over one that was silent for so long."
    )


class PromptsConfig(_Part):
    """The rendered prompts, which Asterisk plays."""

    folder: str = Field(
        "../var/prompts",
        description="Rendered prompts are kept here, and uploaded recordings in audio/ below it."
        " Workers that share a database share this folder too.",
    )
    url: HttpUrl | None = Field(
        None,
        description="The address that Asterisk fetches prompts from; set it if Asterisk runs on"
        " another host. null: Asterisk reads the folder, and fetches from"
        " http://<api.host>:<api.port> what it cannot read.",
    )
    max_megabytes: int = Field(
        500,
        ge=1,
        description="The limit for rendered prompts. Beyond it those are deleted that were used"
        " longest ago, except what calls may need now (two hours' use). Recordings do not count.",
    )


class RecordingsConfig(_Part):
    """The messages that callees record in a survey."""

    folder: str = Field(
        "../var/recordings",
        description="Where the messages are kept. The API serves them to those who may see the"
        " call. It must not lie below prompts.folder, which is served to everybody. Workers that"
        " share a database share this folder too.",
    )
    keep_days: int = Field(
        90, ge=0, description="Older messages are deleted, file and all. 0: they are kept for ever."
    )


class SpeechConfig(_Part):
    """The engines that speak the scripts."""

    engines: dict[str, Command] = Field(
        {
            "en": "flite -voice slt -f {text_file} -o {wav}",
            "*": "espeak-ng -v {language} -f {text_file} -w {wav}",
        },
        description="One command line a language, never run by a shell; `*` serves the languages"
        " that are not named. {text_file} holds the text, and so does standard input; {wav} is to"
        " be written; {language} is the survey's.",
    )
    timeout_seconds: float = Field(
        20.0,
        gt=0,
        le=120,
        description="A text that takes longer fails, and the callee hears a stock message. An"
        " engine that takes too long twice in a row is left alone for a minute.",
    )
    wait_seconds: float = Field(
        10.0,
        ge=0,
        le=120,
        description="How long a call waits for its texts to be rendered. Then it leaves, and the"
        " callee hears a stock message instead of a text that is still not there.",
    )


class WebhooksConfig(_Part):
    """Where webhooks may go."""

    allow: list[Network] = Field(
        [],
        description="Networks that webhooks, calendar feeds, and an alarm's url_confirm and"
        " url_cancel, may reach although they are not public, like [10.0.0.0/8], or [127.0.0.0/8]"
        " for a receiver on this machine.",
    )
    keep_days: int = Field(
        30,
        ge=2,
        le=3650,
        description="For how many days deliveries, with each try, can be looked at.",
    )


class FeedsConfig(_Part):
    """What calendar feeds may take. `webhooks.allow` says where they may be."""

    per_manager: int = Field(20, ge=0, description="How many calendar feeds a manager may have.")
    least_poll_seconds: int = Field(
        300,
        ge=60,
        le=86_400,
        description="How often a feed may be polled: not more often than this.",
    )
    max_megabytes: int = Field(
        20, ge=1, le=100, description="How much a source may send. A poll that gets more fails."
    )


class RetentionConfig(_Part):
    """How long is kept what no call needs any more. Beside it: recordings and webhooks."""

    calls_days: int = Field(
        365,
        ge=0,
        description="Calls, with their answers, transfers and recordings, by the day of the call."
        " Attempts and results of alarms stay. 0: for ever, as in all of these.",
    )
    results_days: int = Field(
        365, ge=0, description="The answers in surveys, with the counts of survey aggregates."
    )
    messages_days: int = Field(365, ge=0, description="SMS and mails that were sent or given up.")
    timelines_days: int = Field(365, ge=0, description="The lines of the timelines of alarms.")
    inbound_sms_days: int = Field(365, ge=0, description="Received SMS.")
    imports_days: int = Field(
        90, ge=0, description="What imports wrote; a later `import undo` takes nothing back."
    )
    idempotency_hours: int = Field(
        24,
        ge=1,
        le=24,
        description="The answers to POSTs with an Idempotency-Key. After it, the same key is"
        " carried out again.",
    )
    audit_days: int = Field(730, ge=0, description="The audit log.")
    deleted_days: int = Field(
        365,
        ge=0,
        description="Events, alarms, calendars and calendar users that were deleted, with the log"
        " of their calls. Until then they are hidden. An event must be over for so long.",
    )


class AgiConfig(_Part):
    """FastAGI, for dialplans of your own."""

    host: str = Field(
        "127.0.0.1",
        description="The address that FastAGI listens on. Anybody who reaches it may ask as any"
        " caller, so let only Asterisk reach it.",
    )
    port: Port = Field(4573, description="The TCP port that FastAGI listens on.")


class DiskConfig(_Part):
    """The room on the disks of the database, the prompts and the recordings."""

    warn_megabytes: int = Field(
        500,
        ge=0,
        description="With less free room than this, the log and /readyz warn. 0: they do not.",
    )


class LimitsConfig(_Part):
    """What a manager may use at most; a superuser may set other limits for each. null: no limit."""

    calls_per_day: int | None = Field(
        20_000,
        ge=0,
        description="How many calls may be due on one day of the manager's time zone. A call counts"
        " when its alarm is written. Retries do not count.",
    )
    alarms_waiting: int | None = Field(
        200_000, ge=0, description="How many alarms may wait for their time, or for their end."
    )
    trial_calls_per_day: int | None = Field(
        60, ge=0, description="How many trial calls of sealed surveys may be made on one day."
    )
    audio_megabytes: int | None = Field(
        5000,
        ge=0,
        description="How many megabytes the uploaded recordings and the recorded messages may have"
        " together.",
    )
    series_minutes: int | None = Field(
        5, ge=0, description="How many minutes lie between two alarms of one series at least."
    )
    contacts_per_day: int | None = Field(
        None,
        ge=1,
        description="How often a recipient may be contacted within 24 hours, by calls, SMS and"
        " mails of the manager together.",
    )
    contacts_per_week: int | None = Field(
        None, ge=1, description="How often a recipient may be contacted within seven days."
    )
    contact_minutes: int | None = Field(
        None,
        ge=1,
        description="How many minutes lie between two contacts of a recipient at least, from the"
        " end of a call.",
    )


class LogConfig(_Part):
    """The log on standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least level that is logged."
    )
    format: Literal["text", "json"] = Field(
        "text", description="How a line looks: text for people, json for programs."
    )


class Config(_Part):
    """Every key may be left out."""

    database: Annotated[str, AfterValidator(_database_url)] = Field(
        "sqlite:///../var/telealarm.db",
        description="sqlite:///relative.db, sqlite:////absolute.db, or"
        " postgresql://user:${PGPASSWORD}@host/name if one machine is not enough. The command that"
        " comes first makes and migrates the tables.",
    )
    key_file: str | None = Field(
        None,
        description="The file with the installation's key, which protects the secrets in the"
        " database. Only this user may read it. All workers on one database need the same, and a"
        " backup of the database needs it too. The command that comes first makes it. null:"
        " telealarm.key in the folder of an SQLite database, else ../var/telealarm.key.",
    )
    timezone: Annotated[str, AfterValidator(_zone)] = Field(
        "UTC",
        description="The IANA time zone of calendars, events and recipients that have none of"
        " their own.",
    )
    region: Annotated[str, AfterValidator(_region)] | None = Field(
        None,
        description="The region of phone numbers without a country code, like ES or US (ISO"
        " 3166-1). A manager and a calendar setting may have another one. A number that is read"
        " with a region is dialled with + and its country code. null: digits are dialled as they"
        " are written.",
    )
    api: ApiConfig = Field(ApiConfig(), description="The REST API.")
    worker: WorkerConfig = Field(WorkerConfig(), description="This process.")
    asterisk: AsteriskConfig = Field(AsteriskConfig(), description="How to reach Asterisk.")
    prompts: PromptsConfig = Field(PromptsConfig(), description="The rendered prompts.")
    recordings: RecordingsConfig = Field(RecordingsConfig(), description="The recorded messages.")
    speech: SpeechConfig = Field(SpeechConfig(), description="The speech engines.")
    smtp: SmtpConfig = Field(SmtpConfig(), description="The mail server.")
    webhooks: WebhooksConfig = Field(WebhooksConfig(), description="Where webhooks may go.")
    feeds: FeedsConfig = Field(FeedsConfig(), description="What calendar feeds may take.")
    retention: RetentionConfig = Field(
        RetentionConfig(), description="How long the log of calls and messages is kept."
    )
    agi: AgiConfig | None = Field(None, description="FastAGI. null: it is off.")
    disk: DiskConfig = Field(DiskConfig(), description="The room on the disks.")
    limits: LimitsConfig = Field(LimitsConfig(), description="What a manager may use at most.")
    log: LogConfig = Field(LogConfig(), description="The log.")
    # Where relative paths start; set by `load`.
    base: Path = Field(Path(), exclude=True)

    def path(self, value: str) -> Path:
        """Return `value` as a path. A relative path starts at the configuration file's folder."""
        return (self.base / value).resolve()

    @property
    def unused_drivers(self) -> tuple[str, ...]:
        """The libraries of databases that neither the database nor the call records need."""
        is_needed = self.sqlite_path is None or "://" in (self.asterisk.cdr or "")
        return () if is_needed else ("psycopg",)

    @property
    def sqlite_path(self) -> Path | None:
        """The database file, or None if the database is PostgreSQL."""
        if not self.database.startswith("sqlite:///"):
            return None
        return self.path(self.database.removeprefix("sqlite:///"))

    @property
    def key_path(self) -> Path:
        """The file with the installation's key."""
        if self.key_file is not None:
            return self.path(self.key_file)
        if self.sqlite_path is not None:
            return self.sqlite_path.with_name(_KEY_NAME)
        return self.path(f"../var/{_KEY_NAME}")

    @property
    def worker_name(self) -> str:
        """The worker's name. By default it holds the port, which differs on a host."""
        return self.worker.name or f"telealarm-{self.api.port}"

    @property
    def mail_server(self) -> SmtpConfig:
        """`smtp`, with the full path of its certificates."""
        if self.smtp.ca_file is None:
            return self.smtp
        return self.smtp.model_copy(update={"ca_file": str(self.path(self.smtp.ca_file))})

    @property
    def public_url(self) -> str:
        """The start of the links in messages."""
        return self.api.public_url or self._own_url

    @property
    def mail_sender(self) -> str | None:
        """The sender of mails; None if no mail server is configured."""
        return self.smtp.sender if self.smtp.host else None

    @property
    def prompts_url(self) -> str:
        """The address from which Asterisk fetches prompts."""
        return self.prompts.url or self._own_url

    @property
    def _own_url(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.api.host, self.api.host)
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"http://{host}:{self.api.port}"
