"""The configuration as a typed model, which `config_file` fills.

Relative paths, also in `sqlite:///relative.db`, start at the folder of the configuration file.
"""

import re
import shlex
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    model_validator,
)


def _http_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address like http://127.0.0.1:8088")
    if parts.username or parts.password:
        raise ValueError("must not hold a user or password; they have keys of their own")
    return value.rstrip("/")


def _database_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme == "sqlite" and value.startswith("sqlite:///") and len(parts.path) > 1:
        return value
    if parts.scheme in ("postgresql", "postgres") and parts.path.strip("/"):
        return value
    raise ValueError("must be sqlite:///path/to/file.db or postgresql://user:password@host/name")


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{value!r} is no IANA time zone; one is Europe/Madrid") from None
    return value


def _name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value):
        raise ValueError("may hold letters, digits, '_', '.' and '-', 64 at most")
    return value


def _address(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189}", value):
        raise ValueError("must be one address like clinic@example.com")
    return value


def _command(value: str) -> str:
    try:
        words = shlex.split(value)
    except ValueError as error:
        raise ValueError(f"cannot be split into words: {error}") from None
    if "{wav}" not in value or not words:
        raise ValueError("must name {wav}, which it writes, and mostly {text_file}, which it reads")
    return value


def _network(value: str) -> str:
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


class Api(_Part):
    host: str = "127.0.0.1"
    port: Port = 8000
    # Where the recipients of messages reach this service. None: http://<host>:<port>.
    public_url: HttpUrl | None = None


class Smtp(_Part):
    # None: no mail is sent.
    host: str | None = None
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: str = Field("", repr=False)
    # The sender: the envelope's always, and the From of templates that name none.
    sender: Annotated[str, AfterValidator(_address)] = "telealarm@localhost"
    # Certificates of authorities of one's own, beside the system's.
    ca_file: str | None = None
    timeout_seconds: float = Field(15.0, gt=0, le=40)

    @model_validator(mode="after")
    def _password_needs_encryption(self) -> "Smtp":
        if self.security == "none" and self.user:
            raise ValueError("a user and password need security: starttls or tls")
        return self


class Ari(_Part):
    url: HttpUrl = "http://127.0.0.1:8088"
    user: str = "telealarm"
    password: str = Field("", repr=False)
    timeout_seconds: float = Field(5.0, gt=0, le=60)


class Ami(_Part):
    host: str = "127.0.0.1"
    port: Port = 5038
    user: str = "telealarm"
    password: str = Field("", repr=False)
    timeout_seconds: float = Field(5.0, gt=0, le=60)


class Asterisk(_Part):
    ari: Ari = Ari()
    # None: the trunks are not watched.
    ami: Ami | None = None
    trunks: list[Name] = []
    cdr: str | None = "/var/log/asterisk/cdr-csv/Master.csv"


class Worker(_Part):
    # Lasting and unique: the Stasis application has this name. None: `telealarm-<api.port>`.
    name: Name | None = None
    lease_seconds: float = Field(30.0, ge=5, le=600)


class Prompts(_Part):
    folder: str = "../var/prompts"
    # Where Asterisk fetches prompts. None: http://<api.host>:<api.port>.
    url: HttpUrl | None = None
    # Of rendered prompts; what was used longest ago goes first.
    max_megabytes: int = Field(500, ge=1)


class Recordings(_Part):
    # The messages that callees record. Not below prompts.folder, which is served to everybody.
    folder: str = "../var/recordings"
    # How long they are kept; 0: for ever.
    keep_days: int = Field(90, ge=0)


class Speech(_Part):
    # By language; `*` serves every other one. {language}, {text_file} and {wav} are put in; one
    # that does not name {text_file} reads its standard input.
    engines: dict[str, Command] = {
        "en": "flite -voice slt -f {text_file} -o {wav}",
        "*": "espeak-ng -v {language} -f {text_file} -w {wav}",
    }
    timeout_seconds: float = Field(20.0, gt=0, le=120)


class Webhooks(_Part):
    # Networks that webhooks may call although they are not public.
    allow: list[Network] = []
    # How long what was told is kept for a look.
    keep_days: int = Field(30, ge=2, le=3650)


class Agi(_Part):
    # Whoever reaches this port may ask as any caller: let none but Asterisk do so.
    host: str = "127.0.0.1"
    port: Port = 4573


class Log(_Part):
    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Config(_Part):
    database: Annotated[str, AfterValidator(_database_url)] = "sqlite:///../var/telealarm.db"
    timezone: Annotated[str, AfterValidator(_zone)] = "UTC"
    api: Api = Api()
    worker: Worker = Worker()
    asterisk: Asterisk = Asterisk()
    prompts: Prompts = Prompts()
    recordings: Recordings = Recordings()
    speech: Speech = Speech()
    smtp: Smtp = Smtp()
    webhooks: Webhooks = Webhooks()
    # None: FastAGI is off.
    agi: Agi | None = None
    log: Log = Log()
    # Where relative paths start; set by `load`.
    base: Path = Field(Path(), exclude=True)

    def path(self, value: str) -> Path:
        """`value` as a path; a relative one starts at the configuration file's folder."""
        return (self.base / value).resolve()

    @property
    def sqlite_path(self) -> Path | None:
        """The database file, or None where PostgreSQL serves."""
        if not self.database.startswith("sqlite:///"):
            return None
        return self.path(self.database.removeprefix("sqlite:///"))

    @property
    def worker_name(self) -> str:
        """Two workers on one host have different ports, so the port makes a lasting name."""
        return self.worker.name or f"telealarm-{self.api.port}"

    @property
    def mail_server(self) -> Smtp:
        """`smtp`, with the path of its certificates."""
        if self.smtp.ca_file is None:
            return self.smtp
        return self.smtp.model_copy(update={"ca_file": str(self.path(self.smtp.ca_file))})

    @property
    def public_url(self) -> str:
        """Where the links in messages lead."""
        return self.api.public_url or self._own_url

    @property
    def mail_sender(self) -> str | None:
        """The sender of mails; None where no mail server is configured."""
        return self.smtp.sender if self.smtp.host else None

    @property
    def prompts_url(self) -> str:
        """The address that Asterisk fetches prompts from."""
        return self.prompts.url or self._own_url

    @property
    def _own_url(self) -> str:
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.api.host, self.api.host)
        if ":" in host and not host.startswith("["):
            host = f"[{host}]"
        return f"http://{host}:{self.api.port}"
