"""Requests drawn from the OpenAPI document, right and wrong ones: the server keeps its word.

Every check of schemathesis is on: no server error, only documented statuses, headers, content types
and shapes, wrong data refused, right data taken, no other methods, sign-in demanded.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.api import building
from tests.api.conftest import token

HOOKS = Path(__file__).parent / "fuzzing" / "hooks.py"
EXAMPLES = 15
# A body of readings that can be parsed is answered by a receipt, which tells the rows that are
# wrong: so 200 is right for wrong rows.
RECEIPTS = """
[[operations]]
include-path-regex = "/(sensor_)?readings$"
checks.negative_data_rejection.expected-statuses = [
    "200", "400", "401", "403", "404", "405", "406", "409", "413", "415", "422", "429",
]
"""
# Whether a change can be made, an instant explained or a register told, hangs on what there is, and
# a worklist has a longest period: right shapes may be refused.
CHANGES = """
[[operations]]
include-path-regex = "/(devices|resolve|edits|locks|explain|series|worklist)"
checks.positive_data_acceptance.expected-statuses = [
    "2xx", "401", "403", "404", "409", "422", "429", "5xx",
]
"""
KNOWN_IDS = f"""
[parameters]
"path.site_id" = "{building.SITE}"
"path.meter_id" = "{building.ANNA}"
"path.sensor_id" = "{building.SENSOR}"
"""


def fuzz(address: str, folder: Path, config: str, *options: str) -> None:
    """Run schemathesis on the document that a server serves; show its report if it fails."""
    config_file = folder / "schemathesis.toml"
    config_file.write_text(config)
    outcome = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config_file)),
            *("run", f"{address}/openapi.json", "--checks", "all", "--no-color"),
            *("--max-examples", str(EXAMPLES), "--generation-deterministic"),
            *("--request-timeout", "30", *options),
        ],
        cwd=folder,
        env=os.environ | {"SCHEMATHESIS_HOOKS": str(HOOKS)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def bearer(address: str, name: str) -> Sequence[str]:
    return ("--header", f"Authorization: Bearer {token(address, name)}")


@pytest.mark.slow
def test_an_operator_with_known_ids(address: str, tmp_path: Path) -> None:
    fuzz(address, tmp_path, KNOWN_IDS + RECEIPTS + CHANGES, *bearer(address, "operator"))


@pytest.mark.slow
def test_an_operator_with_any_ids(address: str, tmp_path: Path) -> None:
    fuzz(address, tmp_path, RECEIPTS + CHANGES, *bearer(address, "operator"))


@pytest.mark.slow
def test_nobody(address: str, tmp_path: Path) -> None:
    fuzz(address, tmp_path, KNOWN_IDS + RECEIPTS + CHANGES)
