"""Files to make, and clients of the servers that the exports ask."""

from pathlib import Path

import pytest

from tests.client.conftest import address as address  # noqa: PLC0414  # a fixture
from tests.client.conftest import climkit as climkit  # noqa: PLC0414  # a fixture
from tests.client.conftest import no_backoff as no_backoff  # noqa: PLC0414  # a fixture
from tests.client.conftest import no_credentials_around as no_credentials_around  # noqa: PLC0414


@pytest.fixture(params=[".csv", ".parquet"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Give a file to make, of each form."""
    return tmp_path / f"made{request.param}"
