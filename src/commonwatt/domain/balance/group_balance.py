"""The balance of a group over a run of quarter-hours, with the shares and the profiles."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np

from commonwatt.domain.allocation import KEYS, Key, SharingTerms, share_out
from commonwatt.domain.balance.balance import compute_balance
from commonwatt.domain.balance.declared_terms import ConsumerTerms, ProducerTerms, declared_terms
from commonwatt.domain.balance.members import Member, measured_flows, members_of, total_of
from commonwatt.domain.metering.catalogue import (
    Group,
    Medium,
    Meter,
    MeterFacts,
    Mode,
    SiteCatalogue,
    SiteFacts,
    valid_spans,
)
from commonwatt.domain.metering.load_profile import Energy, LoadProfile, SiteBalance
from commonwatt.domain.metering.meter_energy import MeterEnergy, RegisterEnergy
from commonwatt.domain.metering.quality import Method, Quality, exists, worst
from commonwatt.domain.metering.quarter_hours import QUARTER_S

_AMOUNTS = tuple(field.name for field in fields(SiteBalance) if field.name != "quality")


def sharing_terms(
    catalogue: SiteCatalogue,
    key: Key,
    first_quarter: int,
    pool: Energy,
    available: Energy,
    by_mode: Mapping[Mode, Sequence[Member]],
) -> SharingTerms:
    """Return the terms under which the members share a pool from a quarter-hour on."""
    return declared_terms(
        catalogue,
        key,
        first_quarter,
        pool,
        available,
        [ConsumerTerms(each.facts, each.total) for each in by_mode[Mode.CONSUMPTION]],
        [ProducerTerms(each.number, each.total) for each in by_mode[Mode.PRODUCTION]],
    )


class GroupBalance:
    """The balance of a group over a run, filled over each span in which the facts stay the same."""

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
        self._own: dict[int, list[tuple[int, RegisterEnergy]]] = {}

    def compute(self) -> None:
        """Compute the balance of every span."""
        validity: list[MeterFacts | SiteFacts] = [
            *self._catalogue.facts,
            *(facts for meter in self._meters for facts in meter.facts),
        ]
        start_at, end_at = self._first * QUARTER_S, (self._first + self._length) * QUARTER_S
        for span_start_at, span_end_at in valid_spans(start_at, end_at, validity):
            start, end = (at // QUARTER_S - self._first for at in (span_start_at, span_end_at))
            section = slice(start, end)
            members = members_of(self._meters, self._energies, span_start_at, section)
            if self._group is Group.ELECTRICITY:
                self._close_electricity(members, span_start_at, start, end)
            else:
                self._sum_consumption(members, start, end)

    def _sum_consumption(self, members: list[Member], start: int, end: int) -> None:
        consumers = [member for member in members if member.mode is Mode.CONSUMPTION]
        quality = worst([member.quality for member in consumers], end - start)
        total = total_of((member.energy.total(exported=False) for member in consumers), end - start)
        self._amounts["conso_total"][start:end] = np.where(exists(quality), total, 0)
        self._quality[start:end] = quality

    def _close_electricity(
        self, members: list[Member], span_start_at: int, start: int, end: int
    ) -> None:
        flows, by_mode = measured_flows(members, end - start)
        facts = self._catalogue.site_facts_at(span_start_at)
        computed = compute_balance(flows, facts.balance, facts.battery)
        known = exists(flows.quality)
        amounts = {
            "conso_total": computed.conso_total,
            "from_ext": computed.from_ext,
            "self_energy": computed.self_energy,
            "to_ext": computed.to_ext,
            "storage_charging": flows.charging,
            "storage_discharging": flows.discharging,
            "storage_charging_self": computed.storage_charging_self,
            "unmetered": computed.unmetered,
        }
        for name, amount in amounts.items():
            self._amounts[name][start:end] = np.where(known, amount, 0)
        self._quality[start:end] = flows.quality
        pool, available = (
            np.where(known, amount, 0) for amount in (computed.pool, computed.available)
        )
        self._share(KEYS[facts.key], pool, available, by_mode, start)
        self._sum_charge_points(by_mode[Mode.CONSUMPTION], start, end)

    def _share(
        self,
        key: Key,
        pool: Energy,
        available: Energy,
        by_mode: dict[Mode, list[Member]],
        start: int,
    ) -> None:
        """Share the pool of some quarter-hours of the run among the consumers."""
        consumers, first = by_mode[Mode.CONSUMPTION], self._first + start
        terms = sharing_terms(self._catalogue, key, first, pool, available, by_mode)
        shares = share_out(key, terms)
        section = slice(start, start + len(pool))
        self._amounts["allocated"][section] = shares.sum(axis=0)
        for share, member in zip(shares, consumers, strict=True):
            quality = self._quality[section]
            if not member.energy.alive.all():
                quality = np.where(member.energy.alive, quality, Quality.ABSENT).astype(np.uint8)
            part = start, RegisterEnergy(share, quality)
            self._own.setdefault(member.number, []).append(part)

    def _sum_charge_points(self, consumers: list[Member], start: int, end: int) -> None:
        points = [member for member in consumers if member.medium is Medium.CHARGE_POINT]
        length = end - start
        any_alive = np.zeros(length, np.bool_)
        for member in points:
            any_alive |= member.energy.alive
        quality = np.where(any_alive, self._quality[start:end], Quality.ABSENT).astype(np.uint8)
        total = total_of((member.energy.total(exported=False) for member in points), length)
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
        spans = valid_spans(
            self._first * QUARTER_S, (self._first + self._length) * QUARTER_S, meter.facts
        )
        for start_at, end_at in spans:
            section = slice(start_at // QUARTER_S - self._first, end_at // QUARTER_S - self._first)
            exported = meter.facts_at(start_at).main_is_export
            total_quality[section] = energy.total(exported).quality[section]
        method = energy.method.copy()
        method[~exists(total_quality)] = Method.NONE
        own = self._own_energy(meter)
        return LoadProfile(
            meter=meter.number,
            im=None if energy.im is None else energy.im.energy,
            ex=None if energy.ex is None else energy.ex.energy,
            self_energy=None if own is None else own.energy,
            quality_total=total_quality,
            quality_self=None if own is None else own.quality,
            method=method,
        )

    def _own_energy(self, meter: Meter) -> RegisterEnergy | None:
        """The shares of a meter over the run, None if it never is a consumer of the balance."""
        parts = self._own.get(meter.number)
        if parts is None:
            return None
        if len(parts) == 1 and len(parts[0][1].energy) == self._length:
            return parts[0][1]
        energy = np.zeros(self._length, np.int64)
        quality = np.full(self._length, Quality.ABSENT, np.uint8)
        for start, part in parts:
            section = slice(start, start + len(part.energy))
            energy[section], quality[section] = part.energy, part.quality
        return RegisterEnergy(energy, quality)

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
