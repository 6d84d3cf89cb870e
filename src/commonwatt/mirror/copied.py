"""What a run has copied of a site, what it has not, and why."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Note:
    """Something to be told of a site, meter or sensor, by its name."""

    subject: str
    text: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.text}"


@dataclass(slots=True)
class _Lone:
    """Quarter-hours without readings, in the local months ``first`` to ``last``."""

    first: str
    last: str
    quarters: int


@dataclass(slots=True)
class Copied:
    """What a run has copied of a site.

    ``readings`` and ``sensor_values`` count what was new, ``quarters`` the quarter-hours of the
    server that are kept beside ours. ``failed``: something could not be copied that should be.
    """

    meters: int = 0
    sensors: int = 0
    readings: int = 0
    quarters: int = 0
    sensor_values: int = 0
    failed: bool = False
    declared: list[str] = field(default_factory=list)
    _notes: dict[Note, None] = field(default_factory=dict)
    _lone: dict[str, _Lone] = field(default_factory=dict)

    def say(self, subject: str, text: str) -> None:
        """Note something, once."""
        self._notes[Note(subject, text)] = None

    def say_lone(self, subject: str, month: str, quarters: int) -> None:
        """Count quarter-hours of a month of which there are no readings."""
        if quarters:
            lone = self._lone.setdefault(subject, _Lone(month, month, 0))
            lone.first, lone.last = min(lone.first, month), max(lone.last, month)
            lone.quarters += quarters

    @property
    def notes(self) -> list[Note]:
        """Everything that is to be told."""
        lone = (
            Note(
                subject,
                f"{each.first} to {each.last}: {each.quarters} quarter-hours without readings "
                "are kept as reference only",
            )
            for subject, each in self._lone.items()
        )
        return [*self._notes, *lone]
