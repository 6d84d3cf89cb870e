"""The books of a group over a run of quarter-hours: who is a member, the balance, the shares."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from commonwatt.domain.allocation import KEYS, Key, share_out
from commonwatt.domain.balance import MeasuredFlows, close_books
from commonwatt.domain.catalogue import (
    Group,
    Medium,
    Meter,
    MeterFacts,
    Mode,
    SiteCatalogue,
    SiteFacts,
    epochs,
)
from commonwatt.domain.declared_terms import ConsumerTerms, ProducerTerms, declared_terms
from commonwatt.domain.load_profile import Energy, LoadProfile, SiteBalance
from commonwatt.domain.meter_energy import MeterEnergy, RegisterEnergy
from commonwatt.domain.quality import Quality, exists, worst
from commonwatt.domain.quarter_hours import QUARTER_S

_AMOUNTS = tuple(field.name for field in fields(SiteBalance) if field.name != "quality")


@dataclass(frozen=True, slots=True)
class _Member:
    """A member of the balance over one epoch."""

    number: int
    medium: Medium
    facts: MeterFacts
    energy: MeterEnergy

    @property
    def mode(self) -> Mode:
        """What it is to the site in this epoch."""
        return self.facts.mode

    @property
    def total(self) -> Energy:
        """The energy of its main register, 0 where there is none."""
        return self.energy.total(self.facts.main_is_export).energy

    @property
    def quality(self) -> NDArray[np.uint8]:
        """The worst quality of the registers that the balance needs of this member."""
        total = self.energy.total(self.facts.main_is_export).quality
        if self.mode not in (Mode.INTRODUCTION, Mode.BATTERY) or self.energy.ex is None:
            return total
        return worst([total, self.energy.ex.quality], len(total))


class SiteBooks:
    """The balance of a group over a run, filled epoch by epoch of the facts that it depends on."""

    def __init__(
        self,
        catalogue: SiteCatalogue,
        group: Group,
        meters: tuple[Meter, ...],
        energies: Mapping[int, MeterEnergy],
        first_quarter: int,
        end_quarter: int,
    ) -> None:
        self._catalogue = catalogue
        self._group = group
        self._meters = meters
        self._energies = energies
        self._first = first_quarter
        self._length = end_quarter - first_quarter
        self._amounts = {name: np.zeros(self._length, np.int64) for name in _AMOUNTS}
        self._quality = np.full(self._length, Quality.ABSENT, np.uint8)
        self._charge_points = np.zeros(self._length, np.int64)
        self._charge_quality = np.full(self._length, Quality.ABSENT, np.uint8)
        self._self_energy: dict[int, NDArray[np.int64]] = {}
        self._self_quality: dict[int, NDArray[np.uint8]] = {}

    def close(self) -> None:
        """Close the books of every epoch."""
        validity: list[MeterFacts | SiteFacts] = [
            *self._catalogue.facts,
            *(facts for meter in self._meters for facts in meter.facts),
        ]
        start_at, end_at = self._first * QUARTER_S, (self._first + self._length) * QUARTER_S
        for epoch_start_at, epoch_end_at in epochs(start_at, end_at, validity):
            start, end = (at // QUARTER_S - self._first for at in (epoch_start_at, epoch_end_at))
            members = [
                _Member(meter.number, meter.medium, facts, energy.part(start, end))
                for meter in self._meters
                if (energy := self._energies.get(meter.number)) is not None
                and _is_member(facts := meter.facts_at(epoch_start_at))
            ]
            if self._group is Group.ELECTRICITY:
                self._close_electricity(members, epoch_start_at, start, end)
            else:
                self._sum_consumption(members, start, end)

    def _sum_consumption(self, members: list[_Member], start: int, end: int) -> None:
        consumers = [member for member in members if member.mode is Mode.CONSUMPTION]
        quality = worst([member.quality for member in consumers], end - start)
        total = _sum((member.energy.total(exported=False) for member in consumers), end - start)
        self._amounts["conso_total"][start:end] = np.where(exists(quality), total, 0)
        self._quality[start:end] = quality

    def _close_electricity(
        self, members: list[_Member], epoch_start_at: int, start: int, end: int
    ) -> None:
        flows, by_mode = _measured_flows(members, end - start)
        facts = self._catalogue.site_facts_at(epoch_start_at)
        books = close_books(flows, facts.balance, facts.battery)
        known = exists(flows.quality)
        amounts = {
            "conso_total": books.conso_total,
            "from_ext": books.from_ext,
            "self_energy": books.self_energy,
            "to_ext": books.to_ext,
            "storage_charging": flows.charging,
            "storage_discharging": flows.discharging,
            "storage_charging_self": books.storage_charging_self,
            "unmetered": books.unmetered,
        }
        for name, amount in amounts.items():
            self._amounts[name][start:end] = np.where(known, amount, 0)
        self._quality[start:end] = flows.quality
        pool, available = (np.where(known, amount, 0) for amount in (books.pool, books.available))
        self._share(KEYS[facts.key], pool, available, by_mode, start)
        self._sum_charge_points(by_mode[Mode.CONSUMPTION], start, end)

    def _share(
        self,
        key: Key,
        pool: Energy,
        available: Energy,
        by_mode: dict[Mode, list[_Member]],
        start: int,
    ) -> None:
        """Share the pool from a position of the run on; nothing is shared of books that are open."""
        consumers, producers = by_mode[Mode.CONSUMPTION], by_mode[Mode.PRODUCTION]
        terms = declared_terms(
            self._catalogue,
            key,
            self._first + start,
            pool,
            available,
            [ConsumerTerms(each.facts, each.total) for each in consumers],
            [ProducerTerms(each.number, each.total) for each in producers],
        )
        shares = share_out(key, terms)
        here = slice(start, start + len(pool))
        self._amounts["allocated"][here] = shares.sum(axis=0)
        for share, member in zip(shares, consumers, strict=True):
            energy = self._self_energy.setdefault(member.number, np.zeros(self._length, np.int64))
            quality = self._self_quality.setdefault(
                member.number, np.full(self._length, Quality.ABSENT, np.uint8)
            )
            energy[here] = share
            quality[here] = np.where(member.energy.alive, self._quality[here], Quality.ABSENT)

    def _sum_charge_points(self, consumers: list[_Member], start: int, end: int) -> None:
        points = [member for member in consumers if member.medium is Medium.CHARGE_POINT]
        length = end - start
        any_alive = np.zeros(length, np.bool_)
        for member in points:
            any_alive |= member.energy.alive
        quality = np.where(any_alive, self._quality[start:end], Quality.ABSENT).astype(np.uint8)
        total = _sum((member.energy.total(exported=False) for member in points), length)
        self._charge_points[start:end] = np.where(exists(quality), total, 0)
        self._charge_quality[start:end] = quality

    def profiles(self) -> tuple[LoadProfile, ...]:
        """The load profiles of the meters that are alive somewhere in the run."""
        return tuple(
            self._profile(meter, energy)
            for meter in self._meters
            if (energy := self._energies.get(meter.number)) is not None and energy.alive.any()
        )

    def _profile(self, meter: Meter, energy: MeterEnergy) -> LoadProfile:
        total_quality = np.empty(self._length, np.uint8)
        spans = epochs(
            self._first * QUARTER_S, (self._first + self._length) * QUARTER_S, meter.facts
        )
        for start_at, end_at in spans:
            here = slice(start_at // QUARTER_S - self._first, end_at // QUARTER_S - self._first)
            exported = meter.facts_at(start_at).main_is_export
            total_quality[here] = energy.total(exported).quality[here]
        return LoadProfile(
            meter=meter.number,
            im=None if energy.im is None else energy.im.energy,
            ex=None if energy.ex is None else energy.ex.energy,
            self_energy=self._self_energy.get(meter.number),
            quality_total=total_quality,
            quality_self=self._self_quality.get(meter.number),
            method=np.where(exists(total_quality), energy.method, 0).astype(np.uint8),
        )

    def balances(self) -> dict[Medium, SiteBalance]:
        """The balances by medium; a medium that is nowhere alive has none."""
        balances: dict[Medium, SiteBalance] = {}
        if (self._quality != Quality.ABSENT).any():
            balances[Medium(self._group.value)] = SiteBalance(
                quality=self._quality, **self._amounts
            )
        if (self._charge_quality != Quality.ABSENT).any():
            nothing = {name: np.zeros(self._length, np.int64) for name in _AMOUNTS}
            balances[Medium.CHARGE_POINT] = SiteBalance(
                quality=self._charge_quality, **nothing | {"conso_total": self._charge_points}
            )
        return balances


def _is_member(facts: MeterFacts) -> bool:
    return facts.enabled and facts.balance and not facts.isolated


def _measured_flows(
    members: list[_Member], length: int
) -> tuple[MeasuredFlows, dict[Mode, list[_Member]]]:
    """Sum the members' energies by mode; also return the members by mode, ascending by id."""
    by_mode: dict[Mode, list[_Member]] = {mode: [] for mode in Mode}
    for member in members:
        by_mode[member.mode].append(member)
    grid, storage = by_mode[Mode.INTRODUCTION], by_mode[Mode.BATTERY]
    has_grid = np.zeros(length, np.bool_)
    for member in grid:
        has_grid |= member.energy.alive
    # With a grid meter the sun's meter hides nothing but its own columns.
    qualities = [
        np.where(has_grid, Quality.ABSENT, member.quality).astype(np.uint8)
        if member.mode is Mode.PRODUCTION
        else member.quality
        for member in members
    ]
    flows = MeasuredFlows(
        consumed=_sum((m.energy.total(False) for m in by_mode[Mode.CONSUMPTION]), length),
        grid_im=_sum((m.energy.im for m in grid), length),
        grid_ex=_sum((m.energy.ex for m in grid), length),
        produced=_sum((m.energy.ex for m in by_mode[Mode.PRODUCTION]), length),
        charging=_sum((m.energy.im for m in storage), length),
        discharging=_sum((m.energy.ex for m in storage), length),
        has_grid=has_grid,
        quality=worst(qualities, length),
    )
    return flows, by_mode


def _sum(registers: Iterable[RegisterEnergy | None], length: int) -> NDArray[np.int64]:
    total = np.zeros(length, np.int64)
    for register in registers:
        if register is not None:
            total += register.energy
    return total
