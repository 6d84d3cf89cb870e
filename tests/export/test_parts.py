"""What is kept of an export that was cut off, and what is refused."""

import json
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from commonwatt.client import Climkit, SurprisingAnswer
from commonwatt.export.errors import CannotExport
from commonwatt.export.request import Of
from tests.client.conftest import FAST
from tests.client.scripted import SITE, SITE_DATA, Asked, Reply
from tests.export.endless import ANNA, endless, of_site
from tests.export.exporting import NOW_AT, exported

WINDOW = ("2025-08-28", "2025-11-04")
MONTHS = 4


class CutOff(Exception):
    """Stands for whatever ends a process that has its parts on the disk."""


def cut_off_after(months: int) -> Callable[[float, int], None]:
    """End an export when so many parts are there."""

    def on_part(done: float, total: int) -> None:
        if done == months:
            raise CutOff

    return on_part


def folder_of(file: Path) -> Path:
    return file.with_name(f"{file.name}.parts")


@pytest.mark.parametrize("of", ["site", "meters"])
def test_an_export_goes_on_after_each_of_its_parts(file: Path, of: Of) -> None:
    server = endless()
    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        exported(climkit, file, *WINDOW, of=of)
        undisturbed = file.read_bytes()
        for months in range(MONTHS + 1):
            asked_before = server.count(SITE_DATA)
            with pytest.raises(CutOff):
                exported(climkit, file, *WINDOW, of=of, on_part=cut_off_after(months))
            assert file.read_bytes() == undisturbed
            assert folder_of(file).exists() == (months > 0)
            file.write_bytes(b"older")
            exported(climkit, file, *WINDOW, of=of)
            assert server.count(SITE_DATA) - asked_before == MONTHS
            assert file.read_bytes() == undisturbed
            assert [*file.parent.iterdir()] == [file]


def test_progress_counts_what_is_asked_of_a_part(file: Path) -> None:
    told: list[float] = []
    with endless().running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        exported(climkit, file, *WINDOW, of="meters", on_part=lambda done, _: told.append(done))

    assert told == sorted(told)
    assert {*told} == {quarter / 4 for quarter in range(4 * MONTHS + 1)}


def test_without_an_end_it_is_that_of_the_first_asking(file: Path) -> None:
    with endless().running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        for later_s in (437, 400_000):
            with suppress(CutOff):
                exported(
                    climkit,
                    file,
                    "2026-01-20",
                    None,
                    now_at=NOW_AT + later_s,
                    on_part=cut_off_after(2) if later_s < 900 else lambda done, total: None,
                )

    if file.suffix == ".parquet":
        last = pl.read_parquet(file)["end"].max()
    else:
        last = pl.read_csv(file, try_parse_dates=True)["end"].max()
    assert str(last)[:19] == "2026-05-01 00:00:00"


def test_only_days_that_are_over_are_exported(file: Path) -> None:
    with endless().running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        for end in (None, "2026-12-31"):
            done = exported(
                climkit, file, "2026-04-20", end, sampling="D", now_at=NOW_AT + 12 * 3600
            )
            assert done.rows == 11
        with pytest.raises(CannotExport, match="nothing from 2026-05-01 on is over yet"):
            exported(climkit, file, "2026-05-01", None, sampling="D", now_at=NOW_AT + 12 * 3600)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"start": "2025-08-11"}, "other start"),
        ({"end": None}, "other end"),
        ({"of": "meters"}, "other of, columns"),
        ({"sampling": "H"}, "other sampling"),
        ({"meter_type": "heating"}, "other type, columns"),
    ],
)
def test_parts_of_another_export_are_not_mixed(
    file: Path, change: dict[str, str | None], said: str
) -> None:
    wish = {"start": WINDOW[0], "end": WINDOW[1], **change}
    with endless().running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        with pytest.raises(CutOff):
            exported(climkit, file, *WINDOW, on_part=cut_off_after(2))
        parts = sorted(folder_of(file).iterdir())
        with pytest.raises(CannotExport, match=f"{said}.*delete it to begin anew, or take another"):
            exported(climkit, file, **wish)  # type: ignore[arg-type]  # options by name
        assert sorted(folder_of(file).iterdir()) == parts
        shutil.rmtree(folder_of(file))
        if change != {"meter_type": "heating"}:
            exported(climkit, file, **wish)  # type: ignore[arg-type]  # options by name


def test_parts_of_another_server_are_not_mixed(file: Path) -> None:
    with (
        endless().running() as url,
        Climkit(url, "u", "p", requests_per_second=FAST) as climkit,
        pytest.raises(CutOff),
    ):
        exported(climkit, file, *WINDOW, on_part=cut_off_after(2))
    with (
        endless().running() as url,
        Climkit(url, "u", "p", requests_per_second=FAST) as climkit,
        pytest.raises(CannotExport, match="other server"),
    ):
        exported(climkit, file, *WINDOW)


def test_a_wish_of_which_nothing_is_there_yet_may_change(file: Path) -> None:
    with endless().running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        folder_of(file).mkdir()
        (folder_of(file) / "question.json").write_text(json.dumps({"of": "sensors"}))
        exported(climkit, file, *WINDOW)

    assert not folder_of(file).exists()


def test_what_somebody_else_keeps_there_stays(file: Path) -> None:
    with endless().running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        folder_of(file).mkdir()
        (folder_of(file) / "notes.txt").write_text("mine")
        exported(climkit, file, *WINDOW)
        assert [each.name for each in folder_of(file).iterdir()] == ["notes.txt"]
        mine = folder_of(file) / f"2025-08-01.0123456789abcdef{file.suffix}"
        mine.write_text("mine too")
        with pytest.raises(CannotExport, match="is no folder of an export"):
            exported(climkit, file, *WINDOW)
        assert mine.read_text() == "mine too"


@pytest.mark.parametrize("damage", ["cut", "emptied", "changed", "of another month"])
def test_a_part_that_is_not_as_it_was_written_is_asked_for_again(file: Path, damage: str) -> None:
    server = endless()
    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        exported(climkit, file, *WINDOW)
        undisturbed = file.read_bytes()
        with pytest.raises(CutOff):
            exported(climkit, file, *WINDOW, on_part=cut_off_after(3))
        first, second, _ = sorted(folder_of(file).glob("2025-*"))
        whole = second.read_bytes()
        middle = whole.index(b"\n", len(whole) // 2) + 1 if file.suffix == ".csv" else 2_000
        second.write_bytes(
            {
                "cut": whole[:middle],
                "emptied": b"",
                "changed": whole[:middle] + b"7" + whole[middle + 1 :],
                "of another month": first.read_bytes(),
            }[damage]
        )
        asked_before = server.count(SITE_DATA)
        exported(climkit, file, *WINDOW)

    assert server.count(SITE_DATA) - asked_before == 2
    assert file.read_bytes() == undisturbed
    assert [*file.parent.iterdir()] == [file]


@pytest.mark.parametrize(("absent", "later_absent"), [("pyarrow", "polars"), ("polars", "pyarrow")])
def test_another_library_may_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, absent: str, later_absent: str
) -> None:
    file = tmp_path / "made.parquet"
    with endless().running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        exported(climkit, file, *WINDOW, of="meters")
        undisturbed = pl.read_parquet(file)
        with monkeypatch.context() as without:
            without.setitem(sys.modules, absent, None)
            with pytest.raises(CutOff):
                exported(climkit, file, *WINDOW, of="meters", on_part=cut_off_after(2))
        with monkeypatch.context() as without:
            without.setitem(sys.modules, later_absent, None)
            exported(climkit, file, *WINDOW, of="meters")

    assert_frame_equal(pl.read_parquet(file), undisturbed)


def test_a_second_export_to_the_file_is_refused(file: Path) -> None:
    with endless().running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:

        def another(done: float, total: int) -> None:
            with pytest.raises(CannotExport, match="another export holds"):
                exported(climkit, file, *WINDOW)

        exported(climkit, file, *WINDOW, on_part=another)
        exported(climkit, file, *WINDOW)


def test_a_link_stays_one(file: Path) -> None:
    target = file.with_name(f"target{file.suffix}")
    file.symlink_to(target.name)
    with endless().running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        exported(climkit, file, *WINDOW)

    assert file.is_symlink()
    assert target.stat().st_size > 0


def test_a_server_that_fails_in_between_is_asked_again_for_what_is_missing(file: Path) -> None:
    """The third month comes broken, once."""
    broken = [2]

    def fails_once(asked: Asked) -> Reply:
        if broken and server.count(SITE_DATA) == broken[0] + 1:
            broken.clear()
            return Reply(body=b"<html>")
        return Reply(of_site(asked))

    server = endless({SITE_DATA: fails_once})
    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        with pytest.raises(SurprisingAnswer):
            exported(climkit, file, *WINDOW)
        assert not file.exists()
        assert len([*folder_of(file).glob("2025-*")]) == 2
        exported(climkit, file, *WINDOW)

    assert server.count(SITE_DATA) == MONTHS + 1


def test_a_refused_meter_is_asked_for_once_and_not_forgotten(file: Path) -> None:
    closed = f"/meter_data/{SITE}/{ANNA}"

    def without_anna(asked: Asked) -> Reply:
        rows = of_site(asked)
        return Reply([{key: row[key] for key in row if not key.endswith(ANNA)} for row in rows])

    server = endless({SITE_DATA: without_anna, closed: Reply({"detail": "no right"}, 403)})
    with server.running() as url, Climkit(url, "u", "p", requests_per_second=FAST) as climkit:
        with pytest.raises(CutOff):
            exported(climkit, file, *WINDOW, of="meters", on_part=cut_off_after(MONTHS))
        assert server.count(closed) == 1
        done = exported(climkit, file, *WINDOW, of="meters")

    assert server.count(closed) == 1
    assert done.left_out == [f"Anna: POST {closed}: no right"]
