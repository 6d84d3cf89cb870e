"""A store that was asked everything before, so that only what is done with its answers counts."""

from collections.abc import Callable, Iterable

from commonwatt.app.ports import Snapshot


class Remembered:
    """Tables whose answers are kept: whoever asks the same again waits for no store."""

    def __init__(self, tables: object) -> None:
        self._tables = tables
        self._answers: dict[tuple[object, ...], object] = {}

    def __getattr__(self, name: str) -> Callable[..., object]:
        """Give the question of that name."""
        ask = getattr(self._tables, name)

        def answer(*asked: object) -> object:
            key = (name, *(tuple(each) if isinstance(each, Iterable) else each for each in asked))
            if key not in self._answers:
                self._answers[key] = ask(*asked)
            return self._answers[key]

        return answer


class RememberedSnapshot:
    """A snapshot that has answered every question before."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot
        self._tables: dict[str, Remembered] = {}

    def __getattr__(self, name: str) -> Remembered:
        """Give the tables of that name."""
        if name not in self._tables:
            self._tables[name] = Remembered(getattr(self._snapshot, name))
        return self._tables[name]
