"""A place that holds no rules, or cannot be used, is told in a sentence and by the exit code."""

import io
import tarfile
from pathlib import Path

import pytest

from tocsin.cli.main import main


def said(arguments: list[str | Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command says before it ends with 2."""
    monkeypatch.setattr("sys.argv", ["tocsin", *map(str, arguments)])
    monkeypatch.setenv("TOCSIN_URL", "http://127.0.0.1:9")
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    return " ".join(capsys.readouterr().err.split())


@pytest.mark.parametrize("command", ["apply", "diff", "import", "test"])
def test_a_directory_without_rules(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "rule" in (told := said(["rules", command, tmp_path], monkeypatch, capsys))
    assert str(tmp_path) in told


def test_an_archive_that_is_torn_or_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w:gz") as archive:
        archive.add(Path(__file__), "rule.yml")
    torn = tmp_path / "rules.tar.gz"
    torn.write_bytes(whole.getvalue()[:200])
    for command in ("eval", "import", "test"):
        assert f"{torn} is no whole archive" in said(["rules", command, torn], monkeypatch, capsys)
    torn.write_bytes(b"PK torn")
    assert "neither a rule file (.yml, .yaml) nor a tar or zip" in said(["rules", "eval", torn], monkeypatch, capsys)


def test_a_file_where_a_directory_must_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "taken").write_text("x")
    assert "taken: File exists" in said(["rules", "export", tmp_path / "taken"], monkeypatch, capsys)


def test_a_date_that_only_yaml_knows_is_sent_as_a_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "rule.yaml").write_text("id: abc-d1e-2fg\nschedulingOptions: {start: 2030-01-01T00:00:00}\n")
    assert "no Tocsin answers" in said(["rules", "apply", tmp_path], monkeypatch, capsys)
    (tmp_path / "rule.yaml").write_text("schedulingOptions: {start: 2030-01-01T00:00:00}\n")
    assert "no Tocsin answers" in said(["rules", "backtest", tmp_path / "rule.yaml"], monkeypatch, capsys)
    (tmp_path / "rule.yaml").write_text("at: 2030-13-41\n")
    assert "month must be in" in said(["rules", "backtest", tmp_path / "rule.yaml"], monkeypatch, capsys)
    (tmp_path / "rule.yaml").write_text("id: abc-d1e-2fg\n1: x\n")
    assert "rule.yaml: Dict key must be str" in said(["rules", "apply", tmp_path], monkeypatch, capsys)
