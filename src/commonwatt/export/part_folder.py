"""The parts of an export that are there already, in a folder beside its file.

    july.parquet.parts/
        question.json      what was asked; parts of another request are not mixed with these
        2026-07-01.….parquet
                            a part: the local day on which it begins, and a digest of its bytes
        left_out.json       whose rows are not in the parts, and why
        lock                held by the process that exports

Every file is written under another name, brought to the disk, and renamed. So a name stands for a
whole file, whenever the machine stops. A part that is not as it was written, since somebody opened
and saved it or the disk fails, is no part.
"""

import fcntl
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, TypeVar
from zoneinfo import ZoneInfo

from commonwatt.client.series.local_periods import Window
from commonwatt.export.errors import CannotExport
from commonwatt.export.request import ExportRequest, request_of

T = TypeVar("T")

_REQUEST, _LEFT_OUT, _LOCK = "question.json", "left_out.json", "lock"
_UNFINISHED = ".unfinished"
_DIGEST_LENGTH = 16
_PART = re.compile(
    rf"(?P<day>\d{{4}}-\d\d-\d\d)\.(?P<digest>[0-9a-f]{{{_DIGEST_LENGTH}}})\.(csv|parquet)"
)


class PartFolder:
    """The folder of one export, which this process alone may change.

    `request`: what the parts here answer, of which the end was settled when they were begun.
    """

    def __init__(self, path: Path, asked: ExportRequest) -> None:
        self.path = path
        self.request = self._known(asked)
        self._zone = ZoneInfo(self.request.timezone)

    def path_of(self, part: Window) -> Path | None:
        """Return where a part is; None: it is not there."""
        day = self._day(part)
        return next((path for path in _parts_in(self.path) if path.name.startswith(day)), None)

    def keep(self, part: Window, write: Callable[[BinaryIO], None]) -> Path:
        """Write a part; return where it is."""
        name = f"{self._day(part)}{self.request.form}"
        with self._unfinished(name, write) as (unfinished, _):
            path = self.path / f"{self._day(part)}.{_digest_of(unfinished)}{self.request.form}"
            _rename(unfinished, path)
        return path

    @property
    def left_out(self) -> list[str]:
        """Whose rows are not in the parts, and why, in the order of finding out."""
        path = self.path / _LEFT_OUT
        return [*json.loads(path.read_bytes())] if path.exists() else []

    def leave_out(self, whom: Sequence[str]) -> None:
        """Keep in mind who is not in a part that is about to be kept."""
        known = self.left_out
        if {*whom} - {*known}:
            lines = json.dumps([*dict.fromkeys([*known, *whom])]).encode()
            self._write(self.path / _LEFT_OUT, lambda out: out.write(lines))

    def finish(self, file: Path, write: Callable[[BinaryIO], T]) -> T:
        """Write the file of which these are the parts, and remove them."""
        written = self._write(file, write)
        for part in _parts_in(self.path):
            part.unlink()
        return written

    def _day(self, part: Window) -> str:
        return str(datetime.fromtimestamp(part[0], self._zone).date())

    def _known(self, asked: ExportRequest) -> ExportRequest:
        """Return the request of the parts here; where there are none, the one asked."""
        path = self.path / _REQUEST
        if not _parts_in(self.path):
            (self.path / _LEFT_OUT).unlink(missing_ok=True)
            self._write(path, lambda out: out.write(asked.to_json()))
            return asked
        try:
            known = request_of(path.read_bytes())
        except (ValueError, FileNotFoundError) as error:
            raise CannotExport(
                f"{self.path} is no folder of an export ({error}): delete it, or take another FILE"
            ) from None
        if differing := asked.differing(known):
            raise CannotExport(
                f"{self.path} holds parts of another export (other {', '.join(differing)}): "
                "delete it to begin anew, or take another FILE"
            )
        for part in _parts_in(self.path):
            if not _is_as_written(part):
                part.unlink()
        return known

    def _write(self, path: Path, write: Callable[[BinaryIO], T]) -> T:
        """Write a file so that its name stands for all of it, on the disk."""
        with self._unfinished(path.name, write) as (unfinished, written):
            _rename(unfinished, path)
        return written

    @contextmanager
    def _unfinished(self, name: str, write: Callable[[BinaryIO], T]) -> Iterator[tuple[Path, T]]:
        """Give a file that is on the disk and has to be renamed, and what writing it returned."""
        path = self.path / f"{name}{_UNFINISHED}"
        try:
            with open(path, "wb", opener=_for_the_owner) as out:  # of a mode
                written = write(out)
                out.flush()
                os.fsync(out.fileno())
            yield path, written
        except BaseException:
            path.unlink(missing_ok=True)
            raise


@contextmanager
def part_folder(file: Path, asked: ExportRequest) -> Iterator[PartFolder]:
    """Give the folder of a file's parts; it goes where it ends without any.

    Raises CannotExport if another process exports to the file, or its parts are of another
    request.
    """
    path = file.with_name(f"{file.name}.parts")
    with _locked(path):
        try:
            yield PartFolder(path, asked)
        finally:
            if not _parts_in(path):
                _removed(path)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Make a folder if need be, and keep other processes out of it."""
    while True:
        folder.mkdir(mode=0o700, exist_ok=True)
        try:
            lock = (folder / _LOCK).open("a")
        except FileNotFoundError:  # another has just finished and removed the folder
            continue
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CannotExport(f"another export holds {folder}") from None
            if not _is_still(lock.fileno(), folder / _LOCK):
                continue
            yield
            return


def _for_the_owner(path: str, flags: int) -> int:
    """Open a file that nobody else may read: what people used is in it."""
    return os.open(path, flags, 0o600)


def _is_still(descriptor: int, path: Path) -> bool:
    """Whether an open file has its name still: the one who held it before may have removed it."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _parts_in(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if _PART.fullmatch(path.name)]


def _is_as_written(part: Path) -> bool:
    named = _PART.fullmatch(part.name)
    return named is not None and named["digest"] == _digest_of(part)


def _digest_of(path: Path) -> str:
    with path.open("rb") as written:
        return hashlib.file_digest(written, "sha256").hexdigest()[:_DIGEST_LENGTH]


def _removed(folder: Path) -> None:
    """Remove a folder without parts; not what else somebody may have put there."""
    for path in folder.iterdir():
        if path.name in {_REQUEST, _LEFT_OUT, _LOCK} or path.suffix == _UNFINISHED:
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()


def _rename(unfinished: Path, path: Path) -> None:
    """Give a file its name, also on the disk."""
    unfinished.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
