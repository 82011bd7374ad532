"""Settings: read from the environment in this one place, each with its meaning and its check."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from motma.core.errors import Invalid
from motma.core.words import Words


@dataclass(frozen=True, slots=True)
class Settings:
    """How this installation runs. Times are in seconds, sizes in bytes, where a name says so."""

    data: Path
    """Folder for the database and the secrets; made with mode 0700."""
    database_url: str
    """``sqlite:///path`` or ``postgresql://user:password@host/name``."""
    host: str
    port: int
    issuer: str
    """The name in every code that is issued here."""
    register_seed: int
    register_size: int
    """The fictional population that the demonstration and the replay are played with: its seed and how many people."""
    register_url: str = ""
    """Where the population register answers OSIA Data Access 1.3; without one, everybody's identity stays pending."""
    register_client: str = ""
    register_secret: str = field(default="", repr=False)
    """As whom it is asked: OAuth2 client credentials."""
    register_pause_seconds: float = 5.0
    """How long it is left alone after it failed several times in a row."""
    unlock: Path | None = None
    """The file of the key that opens the secrets; without one, ``unlock.key`` in the data folder."""
    dcc_signers: Path | None = None
    """The file of the keys and certificates of who may sign health certificates; without one, nobody's are known."""
    dhis2_mapping: Path | None = None
    """The file that says what this installation's DHIS2 calls our form's fields; without one, the example's names."""
    pkcs11_pin: str = field(default="", repr=False)
    """What opens the tokens of a hardware module."""
    client_cert_header: str = ""
    """In which header the proxy in front hands in platforms' TLS certificates (RFC 9440); "": none are read."""
    sandbox: bool = False
    """For trying out: fictional people only, and platforms that register themselves for a week."""
    webhooks_private: bool = False
    """Platforms are told of changes at any address, by http too: for demonstrations and tests, and for nothing else."""


_A_PATH = (re.compile(r"[^\0]+"), Words("một thư mục", "a folder"))
_A_DATABASE = (
    re.compile(r"sqlite:///[^\0]+|postgres(?:ql)?://[^\0]+"),
    Words("sqlite:///đường-dẫn hoặc postgresql://máy/tên", "sqlite:///path or postgresql://host/name"),
)
_A_HOST = (re.compile(r"[0-9A-Za-z.:_%-]{1,253}"), Words("một địa chỉ để nghe", "an address to listen on"))
_AN_ISSUER = (
    re.compile(r"[!-~]{1,64}"),
    Words("1 đến 64 ký tự ASCII không dấu cách", "1 to 64 ASCII characters without spaces"),  # it is in every QR
)
_A_FILE = (re.compile(r"[^\0]+"), Words("một tệp", "a file"))
_A_PIN = (re.compile(r"[^\0]{0,64}"), Words("mã PIN không quá 64 ký tự", "a PIN of at most 64 characters"))
_A_REGISTER = (
    re.compile(r"(?:https?://[!-~]{1,500})?"),
    Words("địa chỉ http(s) của dữ liệu dân cư", "the http(s) address of the population register"),
)
_A_CLIENT = (re.compile(r"[ -~]{0,200}"), Words("chữ ASCII, không quá 200 ký tự", "ASCII, at most 200 characters"))
_A_SECRET = (re.compile(r"[^\0]{0,500}"), Words("không quá 500 ký tự", "at most 500 characters"))
_A_HEADER = (
    re.compile(r"(?:[A-Za-z][A-Za-z0-9-]{0,60})?"),
    Words("tên một tiêu đề HTTP", "the name of an HTTP header"),
)
_A_SWITCH = (re.compile(r"[01]?"), Words("1, hoặc 0", "1, or 0"))
_KNOWN = (
    *("DATA", "DATABASE_URL", "HOST", "PORT", "ISSUER", "UNLOCK", "PKCS11_PIN", "DCC_SIGNERS"),
    "WEBHOOKS_PRIVATE",
    "DHIS2_MAPPING",
    *("REGISTER_URL", "REGISTER_CLIENT", "REGISTER_SECRET", "REGISTER_SEED", "REGISTER_SIZE"),
    *("CLIENT_CERT_HEADER", "SANDBOX"),
)


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from ``MOTMA_…`` variables. Raises :class:`Invalid` ``config.*`` for what cannot be used."""
    given = os.environ if environment is None else environment
    data = Path(_text(given, "DATA", "motma-data", _A_PATH))
    return Settings(
        data=data,
        database_url=_text(given, "DATABASE_URL", f"sqlite:///{(data / 'motma.db').absolute()}", _A_DATABASE),
        host=_text(given, "HOST", "127.0.0.1", _A_HOST),
        port=_number(given, "PORT", 8000, 0, 65_535),
        issuer=_text(given, "ISSUER", "motma.demo", _AN_ISSUER),
        register_seed=_number(given, "REGISTER_SEED", 2021, 0, 2**63 - 1),
        register_size=_number(given, "REGISTER_SIZE", 100_000, 1, 10_000_000),
        register_url=_text(given, "REGISTER_URL", "", _A_REGISTER),
        register_client=_text(given, "REGISTER_CLIENT", "", _A_CLIENT),
        register_secret=_text(given, "REGISTER_SECRET", "", _A_SECRET),
        unlock=_file(given, "UNLOCK"),
        dcc_signers=_file(given, "DCC_SIGNERS"),
        dhis2_mapping=_file(given, "DHIS2_MAPPING"),
        pkcs11_pin=_text(given, "PKCS11_PIN", "", _A_PIN),
        client_cert_header=_text(given, "CLIENT_CERT_HEADER", "", _A_HEADER).lower(),
        sandbox=_text(given, "SANDBOX", "", _A_SWITCH) == "1",
        webhooks_private=_text(given, "WEBHOOKS_PRIVATE", "", _A_SWITCH) == "1",
    )


def unknown_settings(environment: Mapping[str, str] | None = None) -> list[str]:
    """``MOTMA_…`` variables that nobody reads: most likely mistyped."""
    given = os.environ if environment is None else environment
    return sorted(
        name
        for name in given
        if name.startswith("MOTMA_")
        and name.removeprefix("MOTMA_") not in _KNOWN
        and name not in ("MOTMA_CHROMIUM", "MOTMA_SOFTHSM", "MOTMA_TEST_POSTGRES_URL")
    )


def _text(given: Mapping[str, str], name: str, default: str, like: tuple[re.Pattern[str], Words]) -> str:
    text = given.get(f"MOTMA_{name}", default)
    pattern, words = like
    if not pattern.fullmatch(text) or not _has_good_port(text):
        raise Invalid(
            f"config.{name.lower()}", Words(f"MOTMA_{name} phải là {words.vi}.", f"MOTMA_{name} must be {words.en}.")
        )
    return text


def _file(given: Mapping[str, str], name: str) -> Path | None:
    return Path(_text(given, name, "", _A_FILE)) if f"MOTMA_{name}" in given else None


def _has_good_port(url: str) -> bool:
    """False for an address whose port is no number; several addresses are left to the database's driver."""
    try:
        return "," in url or "://" not in url or urlsplit(url).port != 0
    except ValueError:
        return False


def _number(given: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = given.get(f"MOTMA_{name}", str(default))
    if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
        raise Invalid(
            f"config.{name.lower()}",
            Words(
                f"MOTMA_{name} phải là số từ {least} đến {most}.",
                f"MOTMA_{name} must be a number from {least} to {most}.",
            ),
        )
    return int(text)
