"""Settings: read from the environment in this one place, each with its meaning and its check."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

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
    """The fictional population register: its seed and how many people it has."""


_KNOWN = ("DATA", "DATABASE_URL", "HOST", "PORT", "ISSUER", "REGISTER_SEED", "REGISTER_SIZE")


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings from ``MOTMA_…`` variables. Raises :class:`Invalid` ``config.*`` for what cannot be used."""
    given = os.environ if environment is None else environment
    data = Path(given.get("MOTMA_DATA", "motma-data"))
    return Settings(
        data=data,
        database_url=given.get("MOTMA_DATABASE_URL", f"sqlite:///{(data / 'motma.db').absolute()}"),
        host=given.get("MOTMA_HOST", "127.0.0.1"),
        port=_number(given, "PORT", 8000, 0, 65_535),
        issuer=given.get("MOTMA_ISSUER", "motma.demo"),
        register_seed=_number(given, "REGISTER_SEED", 2021, 0, 2**63 - 1),
        register_size=_number(given, "REGISTER_SIZE", 100_000, 1, 10_000_000),
    )


def unknown_settings(environment: Mapping[str, str] | None = None) -> list[str]:
    """``MOTMA_…`` variables that nobody reads: most likely mistyped."""
    given = os.environ if environment is None else environment
    return sorted(
        name
        for name in given
        if name.startswith("MOTMA_")
        and name.removeprefix("MOTMA_") not in _KNOWN
        and name not in ("MOTMA_CHROMIUM", "MOTMA_TEST_POSTGRES_URL")
    )


def _number(given: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = given.get(f"MOTMA_{name}", str(default))
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise Invalid(
            f"config.{name.lower()}",
            Words(
                f"MOTMA_{name} phải là số từ {least} đến {most}.",
                f"MOTMA_{name} must be a number from {least} to {most}.",
            ),
        )
    return int(text)
