"""Files of processes that have ended go, those of living ones stay."""

import subprocess
import sys
from pathlib import Path

from tocsin.enrich.indicators import Indicator
from tocsin.threat_intel.table_files import TableFiles

ONE = Indicator("ip_address", "203.0.113.7", "c2", "malicious", "f")

LEAVE = """
import sys
from pathlib import Path
from tocsin.enrich.indicators import Indicator
from tocsin.threat_intel.table_files import TableFiles
TableFiles(Path(sys.argv[1]), "ended").write("1", [Indicator("ip_address", "203.0.113.7", "c2", "malicious", "f")])
"""


def test_keeps_the_latest_two(tmp_path: Path) -> None:
    files = TableFiles(tmp_path, "a")
    assert files.write("0", []) is None
    written = [files.write(str(number), [ONE]) for number in range(1, 5)]
    assert sorted((tmp_path / "a").glob("*.bin")) == written[-2:]


def test_removes_what_ended_processes_left(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", LEAVE, str(tmp_path)], check=True)
    living = TableFiles(tmp_path, "living")
    kept = living.write("1", [ONE])
    assert not (tmp_path / "ended").exists()
    TableFiles(tmp_path, "another").write("1", [ONE])
    assert kept is not None
    assert kept.exists()
