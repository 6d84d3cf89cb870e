"""Bodies of readings, written row by row."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from commonwatt.domain.metering.catalogue import Register, SiteCatalogue
from commonwatt.domain.metering.readings import (
    NO_VALUE,
    NOT_ISSUED,
    MeterName,
    ReadingQuality,
    ReadingRows,
)


@dataclass(frozen=True)
class Said:
    """One row: an instant [Unix seconds] and indexes [mWh, ml].

    ``meter`` is the id that the building of the test gave it (its last 16 digits are kept by the
    store), the first meter by default; ``name`` names it in another way.
    """

    stamp: int
    en_im: int | None = None
    en_ex: int | None = None
    vol_m3: int | None = None
    meter: str = "a" * 24
    name: MeterName | None = None
    quality: str = "measured"
    issued_us: int | None = None
    replaces: bool = False
    serial: str = ""
    fraction_us: int = 0

    def value(self, register: Register) -> int:
        value: int | None = {
            Register.EN_IM: self.en_im,
            Register.EN_EX: self.en_ex,
            Register.VOL_M3: self.vol_m3,
        }[register]
        return NO_VALUE if value is None else value


def body(catalogue: SiteCatalogue, said: Sequence[Said]) -> ReadingRows:
    """Put rows into columns, as the formats do."""
    known = {meter.id[8:]: meter.id for meter in catalogue.meters}
    names = [row.name or MeterName(id=known.get(row.meter[8:], row.meter)) for row in said]
    distinct = list(dict.fromkeys(names))
    registers = (Register.EN_IM, Register.EN_EX, Register.VOL_M3)
    values = {
        register: np.array([row.value(register) for row in said], np.int64)
        for register in registers
        if any(row.value(register) != NO_VALUE for row in said)
    }
    return ReadingRows(
        rows=np.arange(1, len(said) + 1),
        meter_codes=np.array([distinct.index(name) for name in names], np.int32),
        meters=distinct,
        stamps=np.array([row.stamp for row in said], np.int64),
        values=values,
        qualities=np.array([ReadingQuality[row.quality.upper()] for row in said], np.uint8),
        issued_at=np.array(
            [NOT_ISSUED if row.issued_us is None else row.issued_us for row in said], np.int64
        ),
        serials=(serials := sorted({row.serial for row in said} - {""})),
        serial_codes=np.array(
            [serials.index(row.serial) if row.serial else -1 for row in said], np.int16
        ),
        fractions_us=np.array([row.fraction_us for row in said], np.int64),
        replaces=np.array([row.replaces for row in said], np.bool_),
        total=len(said),
    )
