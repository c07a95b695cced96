"""Secrets at rest."""

from pathlib import Path

import pytest

from tocsin.access.vault import FILE, LostKey, Vault


def test_keeps_a_secret_with_a_key_of_its_own(tmp_path: Path) -> None:
    token = Vault(tmp_path).encrypt("päss")
    assert "päss" not in token
    assert Vault(tmp_path).decrypt(token) == "päss"
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


def test_keeps_a_secret_with_a_key_that_is_given(tmp_path: Path) -> None:
    token = Vault(tmp_path, "some long text").encrypt("x")
    assert not (tmp_path / FILE).exists()
    assert Vault(tmp_path / "elsewhere", "some long text").decrypt(token) == "x"


def test_says_when_the_key_is_another(tmp_path: Path) -> None:
    token = Vault(tmp_path, "one").encrypt("x")
    for other in (Vault(tmp_path, "two"), Vault(tmp_path)):
        with pytest.raises(LostKey, match="another key"):
            other.decrypt(token)
