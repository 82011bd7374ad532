"""Settings come from the environment, and what cannot be used is said in one sentence."""

from pathlib import Path

import pytest

from motma.config import read_settings, unknown_settings
from motma.core.errors import Invalid


def test_without_any_there_are_defaults_for_one_machine() -> None:
    settings = read_settings({})
    assert (settings.host, settings.port, settings.data) == ("127.0.0.1", 8000, Path("motma-data"))
    assert settings.database_url == f"sqlite:///{Path('motma-data/motma.db').absolute()}"
    assert settings.register_url == "" and settings.client_cert_header == ""
    assert not settings.sandbox and not read_settings({"MOTMA_SANDBOX": "0"}).sandbox


def test_every_setting_is_read() -> None:
    settings = read_settings(
        {
            "MOTMA_DATA": "/var/lib/motma",
            "MOTMA_DATABASE_URL": "postgresql://motma@db/motma",
            "MOTMA_HOST": "::1",
            "MOTMA_PORT": "0",
            "MOTMA_ISSUER": "yte.example.vn",
            "MOTMA_REGISTER_SEED": "7",
            "MOTMA_REGISTER_SIZE": "10",
            "MOTMA_REGISTER_URL": "https://register.example.vn/osia",
            "MOTMA_REGISTER_CLIENT": "motma",
            "MOTMA_REGISTER_SECRET": "bí mật",
            "MOTMA_CLIENT_CERT_HEADER": "Client-Cert",
            "MOTMA_SANDBOX": "1",
        }
    )
    assert (settings.data, settings.database_url) == (Path("/var/lib/motma"), "postgresql://motma@db/motma")
    assert (settings.host, settings.port, settings.issuer) == ("::1", 0, "yte.example.vn")
    assert (settings.register_seed, settings.register_size) == (7, 10)
    assert settings.register_url == "https://register.example.vn/osia"
    assert (settings.register_client, settings.register_secret) == ("motma", "bí mật")
    assert (settings.client_cert_header, settings.sandbox) == ("client-cert", True)


def test_no_secret_is_shown() -> None:
    shown = repr(read_settings({"MOTMA_REGISTER_SECRET": "geheim", "MOTMA_PKCS11_PIN": "246810"}))
    assert "geheim" not in shown and "246810" not in shown


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("DATA", ["", "a\0b"]),
        (
            "DATABASE_URL",
            [
                "",
                "mysql://u:geheim@h/n",
                "postgresql://u@h:many/n",
                "sqlite://x",
                "sqlite:///",
                "postgresql://",
                "motma.db",
                "sqlite:///a\0b",
            ],
        ),
        ("HOST", ["", "a b", "<x>", "http://x/", "x" * 300]),
        ("PORT", ["", "x", "-1", "65536", "80.0", " 80", "٨٠", "9" * 5_000]),
        ("ISSUER", ["", "một mã", "x" * 65, "a\nb"]),
        ("UNLOCK", ["", "a\0b"]),
        ("DCC_SIGNERS", ["", "a\0b"]),
        ("DHIS2_MAPPING", ["", "a\0b"]),
        ("CLIENT_CERT_HEADER", ["a b", "x:y", "-x", "x" * 99]),
        ("SANDBOX", ["2", "yes", " 1"]),
        ("REGISTER_SEED", ["-1", str(2**63), "x"]),
        ("REGISTER_SIZE", ["0", "10000001", "x", "1" * 5_000]),
        ("REGISTER_URL", ["register.example.vn", "ftp://x", "http://", "http://h:many/", "http://a b/", "file:///x"]),
        ("REGISTER_CLIENT", ["mã", "x" * 201, "a\nb"]),
        ("REGISTER_SECRET", ["a\0b", "x" * 501]),
    ],
)
def test_what_cannot_be_used_is_named(name: str, values: list[str]) -> None:
    for value in values:
        with pytest.raises(Invalid) as refused:
            read_settings({f"MOTMA_{name}": value})
        assert refused.value.code == f"config.{name.lower()}"
        assert f"MOTMA_{name}" in refused.value.words.en and f"MOTMA_{name}" in refused.value.words.vi
        assert "geheim" not in refused.value.words.en


def test_a_mistyped_name_is_noticed() -> None:
    given = {"MOTMA_PROT": "1", "MOTMA_PORT": "1", "PATH": "x", "MOTMA_CHROMIUM": "x", "motma_data": "x"}
    assert unknown_settings(given) == ["MOTMA_PROT"]
