"""A building as commonwatt knows it: its declaration, and the index readings of its meters."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.site.building import QUARTERS_A_DAY, Building, Column
from benchmarks.site.incoming import stamps


@dataclass(frozen=True, slots=True)
class DeclaredSite:
    """A site of `consumers` apartments, a PV meter and a grid meter, in this order of ids."""

    id: str
    name: str
    consumers: int

    def meter_id(self, position: int) -> str:
        """The id of a meter: apartments from 0, then the PV meter, then the grid meter."""
        return f"{self.id[:16]}{position + 1:08x}"

    def declaration(self) -> str:
        """What `commonwatt apply` takes: JSON, which is YAML."""
        names = [f"Apartment {number + 1}" for number in range(self.consumers)]
        modes = ["consumption"] * self.consumers + ["production", "introduction"]
        meters = [
            {
                "id": self.meter_id(position),
                "name": name,
                "type": "electricity",
                "mode": mode,
                "prim_ad": position + 1,
            }
            for position, (name, mode) in enumerate(zip([*names, "PV", "Grid"], modes, strict=True))
        ]
        site = {"id": self.id, "name": self.name, "timezone": "Europe/Zurich"}
        return json.dumps({"site": site, "meters": meters})

    def readings(self, building: Building, first: int, count: int) -> bytes:
        """`count` readings of every meter as JSON rows, a quarter-hour apart, from `first` on.

        An index is what the meter counted since the building's first quarter-hour, in kWh.
        """
        instants = stamps(building.first_quarter + first, count)
        parts = []
        for position, registers in enumerate(registers_of(building)):
            texts = [_row_texts(name, column, first, count) for name, column in registers]
            head = f'{{"meter":"{self.meter_id(position)}","timestamp":"'
            parts += [
                f'{head}{instant}",{",".join(values)}}}'
                for instant, *values in zip(instants, *texts, strict=True)
            ]
        return f"[{','.join(parts)}]".encode()

    def batches(self, building: Building, rows: int) -> Iterator[bytes]:
        """All readings of a building, in bodies of whole days with up to `rows` rows."""
        step = max(1, rows // (self.consumers + 2) // QUARTERS_A_DAY) * QUARTERS_A_DAY
        for first in range(0, building.quarters + 1, step):
            yield self.readings(building, first, min(step, building.quarters + 1 - first))


def registers_of(building: Building) -> Iterator[list[tuple[str, Column]]]:
    """The registers of each meter with what they count, Wh: apartments, PV, grid."""
    for total in building.totals:
        yield [("en_im", total)]
    yield [("en_ex", building.sun)]
    yield [("en_im", building.grid_import), ("en_ex", building.grid_export)]


def _row_texts(register: str, energy: Column, first: int, count: int) -> list[str]:
    index = int(energy[:first].sum())
    texts = []
    for wh in [0, *energy[first : first + count - 1].tolist()]:
        index += wh
        texts.append(f'"{register}":{index // 1000}.{index % 1000:03d}')
    return texts
