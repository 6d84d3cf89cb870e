"""Ten years of a site take no more memory than one: a month is held at a time."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.client.scripted import SITE_DATA, Asked, Reply
from tests.export.endless import endless, stamps

ROOT = Path(__file__).resolve().parents[2]
# Linux's own count of a process: that of getrusage begins with what its parent had.
STATUS = Path("/proc/self/status")
EXPORT = r"""
import re, sys
from pathlib import Path
from commonwatt.client import Climkit
from tests.export.exporting import exported

url, file, start = sys.argv[1:]
with Climkit(url, "u", "p", requests_per_second=10_000.0) as climkit:
    done = exported(climkit, Path(file), start, "2026-01-01")
peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print(done.rows, peak[1])
"""
VALUES = ", ".join(f'"{name}": 1.234' for name in ("conso_total", "prod_total", "self", "to_ext"))


def cheaply(asked: Asked) -> Reply:
    rows = (f'{{{VALUES}, "timestamp": {at}}}' for at in stamps(asked))
    return Reply(body=f"[{','.join(rows)}]".encode())


@pytest.mark.slow
@pytest.mark.skipif(not STATUS.exists(), reason="nothing tells the peak of a process's memory")
@pytest.mark.parametrize("library", ["csv", "polars", "pyarrow"])
def test_ten_years_take_the_memory_of_one(tmp_path: Path, library: str) -> None:
    file = tmp_path / ("made.csv" if library == "csv" else "made.parquet")
    absent = {"polars": "pyarrow", "pyarrow": "polars"}.get(library)
    script = f"import sys; sys.modules.update({ ({absent: None} if absent else {})!r})\n{EXPORT}"

    def peak_kb(url: str, start: str, years: int) -> int:
        command = [sys.executable, "-c", script, url, str(file), start]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        rows, kb = map(int, done.stdout.split())
        assert rows // (365 * 96) == years
        return kb

    with endless({SITE_DATA: cheaply}).running() as url:
        one, ten = peak_kb(url, "2025-01-01", 1), peak_kb(url, "2016-01-01", 10)

    assert ten < one * 1.2 + 4_000, f"{one} KB of one year, {ten} KB of ten"
