"""Settings: what is read from where, and that nothing which makes no sense is accepted (docs/configure.md)."""

from pathlib import Path
from typing import Any

import pytest

from tocsin.config import BadSetting, Config, load_config, misspelt


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "tocsin.toml"


def test_the_command_line_wins_over_the_environment_and_that_over_the_file(toml: Path) -> None:
    toml.write_text('port = 1001\nhost = "::"\ndata = "/srv/tocsin"\nsecure_cookies = true\n')
    config = load_config({"TOCSIN_PORT": "1002", "TOCSIN_HOST": "10.0.0.1"}, toml, port=1003, host=None)
    assert (config.port, config.host, config.data) == (1003, "10.0.0.1", Path("/srv/tocsin"))
    assert config.secure_cookies
    assert config.query_seconds == Config().query_seconds


def test_an_empty_variable_is_none() -> None:
    assert load_config({"TOCSIN_PORT": "", "TOCSIN_SECURE_COOKIES": ""}) == Config()


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("prot = 8080", "unknown setting 'prot'"),
        ("port = ", "cannot read the settings file"),
        ('port = "web"', "'port' takes a whole number, not 'web'"),
        ("port = 80.5", "'port' takes a whole number, not '80.5'"),
        ("port = true", "'port' takes a whole number, not 'True'"),
        ("port = 70000", "'port' takes 65535 or less, not 70000"),
        ("port = 0", "'port' takes 1 or more, not 0"),
        ("query_seconds = 0", "'query_seconds' takes 1 or more, not 0"),
        ("logs_retention_days = -1", "'logs_retention_days' takes 0 or more, not -1"),
        ("secure_cookies = 'maybe'", "'secure_cookies' takes true or false, not 'maybe'"),
        ("data = 5", "'data' takes a text, not 5"),
        ("host = ['a']", "'host' takes a text, not"),
        ("log_format = 'xml'", "'log_format' takes console or json, not 'xml'"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused(toml: Path, line: str, reason: str) -> None:
    toml.write_text(line)
    with pytest.raises(BadSetting, match=reason):
        load_config({}, toml)


@pytest.mark.parametrize("content", [b'host = "\xe9"', None])
def test_a_file_that_cannot_be_read_is_named(toml: Path, content: bytes | None) -> None:
    if content is not None:
        toml.write_bytes(content)
    with pytest.raises(BadSetting, match="cannot read the settings file"):
        load_config({"TOCSIN_CONFIG": str(toml)})


def test_each_default_is_a_value_that_is_accepted() -> None:
    defaults: dict[str, Any] = Config().shown()
    assert load_config({f"TOCSIN_{name.upper()}": text for name, text in defaults.items()}) == Config()


def test_a_variable_that_nearly_spells_a_setting_is_told() -> None:
    variables = ("TOCSIN_PROT", "TOCSIN_PORT", "TOCSIN_URL", "TOCSIN_CONFIG", "TOCSIN_PORT_8080_TCP", "TOCSIN_WHATEVER")
    assert list(misspelt(dict.fromkeys(variables, "1"))) == [("TOCSIN_PROT", "TOCSIN_PORT")]
