"""Indexes of registers as options take them."""

from decimal import Decimal
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from commonwatt.domain.metering.catalogue import Register

INDEX = "REGISTER=N"
_RAW = 1_000_000


def option_register(name: str, option: str) -> "Register":
    """Read an option's register. Raises typer.BadParameter."""
    from commonwatt.domain.metering.catalogue import Register

    if name not in list(Register):
        raise typer.BadParameter(f"use one of {', '.join(Register)}", param_hint=option)
    return Register(name)


def option_index(text: str, option: str) -> "tuple[Register, int]":
    """Read a register and its raw index [mWh, ml], as ``en_im=1234.5`` [kWh, m3].

    Raises typer.BadParameter.
    """
    from commonwatt.domain.metering.catalogue import Register

    name, _, index = text.partition("=")
    if name not in list(Register):
        raise typer.BadParameter(
            f"{text!r}: write {INDEX}, with one of {', '.join(Register)}", param_hint=option
        )
    return Register(name), int(option_decimal(index, option) * _RAW)


def option_decimal(text: str, option: str) -> Decimal:
    """Read an option's number, not negative. Raises typer.BadParameter."""
    from commonwatt.formats.errors import BadValue
    from commonwatt.formats.readings.quantities import parse_decimal

    try:
        return parse_decimal(text, "0", "9000000000")
    except BadValue as error:
        raise typer.BadParameter(str(error), param_hint=option) from error
