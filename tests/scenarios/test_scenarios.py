"""Every folder given_* is a story with hand-computed answers; its README shows the arithmetic."""

from pathlib import Path

import pytest

from tests.scenarios.stage import WrongStep, compare, stage, steps_of

FOLDERS = sorted(Path(__file__).parent.glob("given_*"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_story_ends_as_computed_by_hand(folder: Path, tmp_path: Path) -> None:
    with stage(folder, tmp_path / "data") as play:
        play.play(steps_of(folder))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_every_expected_answer_is_asked_for_and_explained(folder: Path) -> None:
    asked = {step["answer"] for step in steps_of(folder) if "answer" in step}
    assert asked == {path.name for path in folder.glob("expected*.csv")}
    assert (folder / "README.md").is_file()


@pytest.mark.parametrize(
    "row",
    [
        pytest.param({"start": "a", "total": 0.101}, id="another number"),
        pytest.param({"start": "b", "total": 0.1}, id="another text"),
        pytest.param({"start": "a", "total": None}, id="null for a number"),
        pytest.param({"start": "a"}, id="a column less"),
    ],
)
def test_an_answer_that_differs_is_noticed(row: dict[str, object], tmp_path: Path) -> None:
    expected = tmp_path / "expected.csv"
    expected.write_text("start,total\na,0.100\n")
    compare([{"start": "a", "total": 0.1}], expected)
    for wrong in ([row], [], [{"start": "a", "total": 0.1}] * 2):
        with pytest.raises(WrongStep):
            compare(wrong, expected)
