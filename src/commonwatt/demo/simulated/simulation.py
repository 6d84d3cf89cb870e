"""What truly flows in the demo's building, per quarter-hour, to the mWh.

Everything starts at a fixed instant and depends on nothing but the calendar, so a quarter-hour has
the same energy whenever it is asked, after a restart too. Within a quarter-hour power is constant.
The connection to the grid takes up what is left: import - export = consumption + charging -
discharging - sun, exactly, in every quarter-hour.
"""

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from commonwatt.demo.simulated import building
from commonwatt.demo.simulated.building import HOUSEHOLDS, TIMEZONE, Address, Household
from commonwatt.demo.simulated.noise import uniform
from commonwatt.demo.simulated.profiles import SCALE, Calendar
from commonwatt.domain.metering.catalogue import Register

FIRST_QUARTER = 1_893_404
"""The building's first quarter-hour: 2024-01-01 00:00 in its zone."""

Column: TypeAlias = NDArray[np.int64]
Flows: TypeAlias = dict[tuple[Address, Register], Column]

_SUMMER = (6, 7, 8)
# Litres an hour of the whole building, by hour of the day; about 2.4 m3 a day.
_WATER_LITRES = np.array(
    [
        *(15, 8, 5, 5, 12, 55, 170, 215, 150, 95, 85, 100),
        *(140, 110, 75, 70, 85, 130, 190, 220, 190, 140, 95, 40),
    ]
)
# A battery follows the house with a lag; what it misses goes over the grid.
_FOLLOWS_PERCENT = 97
_BATTERY_LOSS_PERCENT = 4


def simulate(end: int) -> Mapping[tuple[Address, Register], Column]:
    """Return what each register counts in the quarter-hours [FIRST_QUARTER, end) [mWh or ml]."""
    calendar = Calendar.of(TIMEZONE, FIRST_QUARTER, end)
    quarters = np.arange(FIRST_QUARTER, end, dtype=np.int64)
    flows = _consumption(calendar, quarters)
    flows |= _sun(calendar)
    flows |= _battery_and_grid(flows, quarters)
    flows |= _heat(calendar, flows[building.HEAT_PUMP, Register.EN_IM])
    flows |= _water(calendar, quarters)
    for address, register in list(flows):
        if register is Register.EN_IM:
            flows.setdefault((address, Register.EN_EX), np.zeros(len(quarters), np.int64))
    return flows


def _shape_energy(parts: Column, rated_w: int) -> Column:
    """Return the energy [mWh] of a quarter-hour at ``parts`` of SCALE of the rated power [W]."""
    return parts * (rated_w * 250) // SCALE


def _consumption(calendar: Calendar, quarters: Column) -> Flows:
    flows = {
        (home.address, Register.EN_IM): _household(home, calendar, quarters) for home in HOUSEHOLDS
    }
    common = _shape_energy(calendar.habits("G0-A"), building.COMMON_PARTS_W)
    pump = _shape_energy(calendar.weather("Soil_Alternative_1"), building.HEAT_PUMP_W)
    car = _shape_energy(calendar.habits("HLS_A_11.0"), building.CHARGE_POINT_W)
    flows[building.HOUSE_SUPPLY, Register.EN_IM] = common + pump + car
    flows[building.HEAT_PUMP, Register.EN_IM] = pump
    flows[building.CHARGE_POINT, Register.EN_IM] = car
    return flows


def _household(home: Household, calendar: Calendar, quarters: Column) -> Column:
    usual = _shape_energy(calendar.habits(home.profile, home.weeks_later), home.rated_w)
    mood = uniform(f"household {home.address.prim_ad}", quarters)
    return np.rint(usual * (0.85 + 0.3 * mood)).astype(np.int64)


def _sun(calendar: Calendar) -> Flows:
    south = _shape_energy(calendar.weather("PV4"), building.PV_SOUTH_W)
    west = _shape_energy(calendar.weather("PV3"), building.PV_WEST_W)
    nothing = np.zeros_like(south)
    return {
        (building.PV_SOUTH, Register.EN_IM): nothing,
        (building.PV_SOUTH, Register.EN_EX): south,
        (building.PV_WEST, Register.EN_IM): nothing,
        (building.PV_WEST, Register.EN_EX): west,
    }


def _battery_and_grid(flows: Flows, quarters: Column) -> Flows:
    homes = [flows[home.address, Register.EN_IM] for home in HOUSEHOLDS]
    load = np.sum([*homes, flows[building.HOUSE_SUPPLY, Register.EN_IM]], axis=0)
    sun = flows[building.PV_SOUTH, Register.EN_EX] + flows[building.PV_WEST, Register.EN_EX]
    charged, discharged = _battery(load - sun)
    needed = load + charged - discharged - sun
    # A cloud or a kettle makes the grid meter count both ways within a quarter-hour.
    both_ways = np.minimum(load, sun) * uniform("clouds", quarters) // 25
    swing = both_ways.astype(np.int64)
    return {
        (building.BATTERY, Register.EN_IM): charged,
        (building.BATTERY, Register.EN_EX): discharged,
        (building.GRID, Register.EN_IM): np.maximum(needed, 0) + swing,
        (building.GRID, Register.EN_EX): np.maximum(-needed, 0) + swing,
    }


def _battery(deficits: Column) -> tuple[Column, Column]:
    """Return charging and discharging [mWh] of a battery that fills from sun left over.

    One pass in time, since what it holds depends on all before; it starts empty.
    """
    capacity, most = building.BATTERY_CAPACITY_WH * 1000, building.BATTERY_W * 250
    held = 0
    charged: list[int] = []
    discharged: list[int] = []
    for deficit in (deficits * _FOLLOWS_PERCENT // 100).tolist():
        charge = discharge = 0
        if deficit < 0:
            room = (capacity - held) * 100 // (100 - _BATTERY_LOSS_PERCENT)
            charge = min(-deficit, most, room)
            held += charge * (100 - _BATTERY_LOSS_PERCENT) // 100
        else:
            discharge = min(deficit, most, held * (100 - _BATTERY_LOSS_PERCENT) // 100)
            held -= -(-discharge * 100 // (100 - _BATTERY_LOSS_PERCENT))
        charged.append(charge)
        discharged.append(discharge)
    return np.array(charged, np.int64), np.array(discharged, np.int64)


def _heat(calendar: Calendar, pump: Column) -> Flows:
    """Heat is 3.4 times the pump's electricity, two thirds of it to the east; cold follows sun."""
    summer = np.isin(calendar.month, _SUMMER)
    heat = np.where(summer, 0, pump * 34 // 10)
    east = heat * 2 // 3
    sun = _shape_energy(calendar.weather("PV3"), building.COOLING_W)
    two_hours_later = np.concatenate([np.zeros(8, np.int64), sun])[: len(sun)]
    return {
        (building.HEATING[0], Register.HEAT_ENERGY_KWH): east,
        (building.HEATING[1], Register.HEAT_ENERGY_KWH): heat - east,
        (building.COOLING, Register.HEAT_ENERGY_KWH): np.where(summer, two_hours_later, 0),
    }


def _water(calendar: Calendar, quarters: Column) -> Flows:
    usual_ml = _WATER_LITRES[calendar.slot // 4] * 250
    shares = (
        (building.COLD_WATER[0], 0.38),
        (building.COLD_WATER[1], 0.27),
        (building.HOT_WATER[0], 0.20),
        (building.HOT_WATER[1], 0.15),
    )
    flows: Flows = {}
    for address, share in shares:
        # Taps are shut in two of five quarter-hours; the cube makes a bath rarer than a glass.
        chance = uniform(f"{address.type} {address.prim_ad}", quarters)
        drawn = np.maximum(chance - 0.4, 0.0) / 0.6
        flows[address, Register.VOL_M3] = (usual_ml * share * 6.67 * drawn**3).astype(np.int64)
    return flows
