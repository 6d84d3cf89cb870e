"""What the demo remembers between two starts."""

from dataclasses import replace
from pathlib import Path

import pytest

from commonwatt.demo.state import FILE_NAME, DemoState, UnreadableDemoState

STATE = DemoState(
    set_up_at=1_795_252_512,
    delivered_until_at=1_795_252_600,
    account="demo",
    password="something",
    gateway_key="cw_something",
)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    STATE.save(tmp_path)
    later = replace(STATE, delivered_until_at=STATE.delivered_until_at + 900)
    later.save(tmp_path)

    assert DemoState.load(tmp_path) == later


def test_without_a_file_there_is_nothing_to_remember(tmp_path: Path) -> None:
    assert DemoState.load(tmp_path) is None


def test_only_its_owner_can_read_it(tmp_path: Path) -> None:
    STATE.save(tmp_path)

    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"set_up_at": 1}', "\x00"])
def test_another_file_of_that_name_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE_NAME).write_text(content)

    with pytest.raises(UnreadableDemoState, match=FILE_NAME):
        DemoState.load(tmp_path)
