"""Meters and sensors asked one after the other, save those that the server lists and refuses.

The account may have no right to them. And a rule meter has no readings, though not every server
lists it as one, nor do all refuse it with the same status.

A part is complete before the next begins, so that memory holds one part alone.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from commonwatt.client.errors import BadRequest, NotFound
from commonwatt.client.models import Meter, Sensor
from commonwatt.client.series.series import Series

Item = TypeVar("Item", Meter, Sensor)
Tell = Callable[[float], None]
"""Told how much of a part has been asked: 0 to less than 1, which is when it is kept."""


class OneByOne(Generic[Item]):
    """Meters or sensors. Who is refused once is left out and not asked again."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items: Sequence[Item] = items
        self._refused: dict[str, str] = {}

    @property
    def left_out(self) -> list[str]:
        """Who was refused, and why."""
        return [*self._refused.values()]

    def series(self, ask: Callable[[Item], Series], tell: Tell) -> Iterator[tuple[Item, Series]]:
        """Yield what the server answers of each. Raises the refusal if all of them are refused."""
        for position, item in enumerate(self.items):
            tell(position / len(self.items))
            if item.id not in self._refused:
                try:
                    series = ask(item)
                except (NotFound, BadRequest) as refusal:
                    self._refused[item.id] = f"{item.name or item.id}: {refusal}"
                    if len(self._refused) == len(self.items):
                        raise
                else:
                    yield item, series
