"""The options of ``commonwatt edit METER`` and what they ask for."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import typer

from commonwatt.cli.indexes import option_index, option_register
from commonwatt.cli.instants import option_instant

if TYPE_CHECKING:
    from commonwatt.app.billing.edit_quarters import WantedEdit
    from commonwatt.app.billing.edit_reading import WantedReading
    from commonwatt.domain.metering.catalogue import Register


@dataclass(frozen=True, slots=True)
class EditOptions:
    """The options of an edit as they were given."""

    reason: str
    start: str | None
    end: str | None
    energy: str | None
    at: str | None
    index: str | None
    clear: bool
    register: str | None

    def check(self) -> None:
        """Refuse what does not go together. Raises typer.BadParameter."""
        if not self.reason:
            raise typer.BadParameter("say why", param_hint="--reason")
        quarters = self.start is not None and self.end is not None and self.at is None
        reading = self.at is not None and (self.start, self.end, self.energy) == (None,) * 3
        if not (reading or (quarters and self.index is None)):
            raise typer.BadParameter(
                "give --start and --end of quarter-hours with --energy, or --at of a reading with "
                "--index"
            )
        value, what = (self.index, "--index") if reading else (self.energy, "--energy KWH")
        if (value is None) != self.clear:
            raise typer.BadParameter(f"give either {what} or --clear")

    def quarters(self, meter_id: str, zone: str) -> "WantedEdit":
        """The quarter-hours that are meant."""
        from commonwatt.app.billing.edit_quarters import WantedEdit

        assert self.start is not None, "checked before"
        assert self.end is not None, "checked before"
        return WantedEdit(
            meter_id=meter_id,
            start_at=option_instant(self.start, "--start", zone),
            end_at=option_instant(self.end, "--end", zone),
            energy=None if self.energy is None else _watt_hours(self.energy),
            reason=self.reason,
            register=self._register(),
        )

    def reading(self, meter_id: str, at: str, zone: str) -> "WantedReading":
        """The reading that is meant."""
        from commonwatt.app.billing.edit_reading import WantedReading

        register, index = self._register(), None
        if self.index is not None:
            named, index = option_index(self.index, "--index")
            if register not in (None, named):
                raise typer.BadParameter(
                    "it is another than that of --index", param_hint="--register"
                )
            register = named
        return WantedReading(
            meter_id=meter_id,
            at=option_instant(at, "--at", zone),
            index=index,
            reason=self.reason,
            register=register,
        )

    def _register(self) -> "Register | None":
        return None if self.register is None else option_register(self.register, "--register")


def _watt_hours(text: str) -> int:
    """Read an energy or volume with up to 3 decimals as Wh or litres."""
    from commonwatt.formats.errors import BadValue
    from commonwatt.formats.readings.quantities import parse_decimal

    try:
        return int(parse_decimal(text, "-9000000000", "9000000000", 3) * 1000)
    except BadValue as error:
        raise typer.BadParameter(str(error), param_hint="--energy") from error
