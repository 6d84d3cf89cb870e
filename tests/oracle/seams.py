"""Where the index of a register begins anew: exchanges, resets, other serials."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import pairwise

from tests.oracle.facts import Device, Finding, Meter
from tests.oracle.versions import Reading


@dataclass(frozen=True)
class Run:
    """Readings over which the index counts on, from one edge to the next."""

    stretch: int
    device: Device
    readings: list[Reading]
    start_at: int | None
    end_at: int | None
    by_reset: bool = False
    breaks: list[tuple[int, int]] = field(default_factory=list)

    @property
    def factor(self) -> Fraction | None:
        return self.device.factor


@dataclass(frozen=True)
class Edge:
    """An instant at which a register begins anew, with the device that is there from then on."""

    at: int
    by_reset: bool
    old: Device
    new: Device

    def is_behind(self, reading: Reading, register: str) -> bool:
        """Whether a reading is one of after the edge."""
        if reading.stamp != self.at or self.by_reset:
            return reading.stamp > self.at
        if reading.serial:
            return reading.serial != self.old.serial
        first, last = self.new.start_index.get(register), self.old.end_index.get(register)
        return reading.value == first or reading.value != last


def edges_of(meter: Meter, register: str) -> tuple[Device, list[Edge]]:
    """The first device of the meter's life, and all edges in it, ascending."""
    first_at = 0 if meter.installed_at is None else meter.installed_at
    last_at = 2**62 if meter.removed_at is None else meter.removed_at
    devices = [Device(), *meter.devices] if meter.devices else [Device()]
    if meter.devices and meter.devices[0].from_at is None:
        devices = list(meter.devices)
    first = [d for d in devices if d.from_at is None or d.from_at <= first_at][-1]
    events = [(d.from_at, 0, d) for d in devices if d.from_at and first_at < d.from_at < last_at]
    resets = {
        each.start_at
        for each in meter.resolutions
        if each.kind == "reset" and each.register == register
    }
    begun = 0 if meter.installed_at is None else meter.installed_at
    events += [(at, 1, Device()) for at in resets if begun <= at < last_at]
    edges: list[Edge] = []
    for at, by_reset, device in sorted(events, key=lambda event: event[:2]):
        old = edges[-1].new if edges else first
        edges.append(Edge(at, bool(by_reset), old, old if by_reset else device))
    return first, edges


def _installed_index(meter: Meter, register: str, first: Device) -> int:
    return meter.installed_index.get(register, first.start_index.get(register, 0))


def with_installation(
    meter: Meter, register: str, first: Device, readings: list[Reading]
) -> list[Reading]:
    """The readings and, unless one stands there, the one that installation itself makes."""
    if meter.installed_at is None or any(r.stamp == meter.installed_at for r in readings):
        return readings
    return [Reading(meter.installed_at, _installed_index(meter, register, first)), *readings]


def declared_runs(
    meter: Meter, register: str, readings: Sequence[Reading], findings: list[Finding]
) -> list[Run]:
    """Cut the plausible readings at what was declared; zeros after a positive index are out."""
    first, edges = edges_of(meter, register)
    parts: list[list[Reading]] = [[] for _ in range(len(edges) + 1)]
    for reading in readings:
        parts[sum(edge.is_behind(reading, register) for edge in edges)].append(reading)
    parts[0] = with_installation(meter, register, first, parts[0])
    everything = [*parts[0], *(reading for part in parts[1:] for reading in part)]
    starts = [meter.installed_at, *(edge.at for edge in edges)]
    ends = [*(edge.at for edge in edges), meter.removed_at]
    runs = []
    for number, part in enumerate(parts):
        edge = edges[number - 1] if number else None
        device = edge.new if edge else first
        kept = list(part)
        if not meter.begins_again:
            later = edge is not None
            kept = _without_zeros(meter, register, device, later, part, everything, findings)
        if edge and not edge.by_reset:
            kept = _standing(meter, register, kept, edge.at, device.start_index, findings)
        if ends[number] is not None and not (number < len(edges) and edges[number].by_reset):
            kept = _standing(meter, register, kept, ends[number], device.end_index, findings)
        by_reset = edge is not None and edge.by_reset
        runs.append(Run(number, device, kept, starts[number], ends[number], by_reset))
    return runs


def _without_zeros(
    meter: Meter,
    register: str,
    device: Device,
    is_later: bool,
    readings: list[Reading],
    everything: Sequence[Reading],
    findings: list[Finding],
) -> list[Reading]:
    """The readings without the zeros that follow a positive index of the same device."""
    since = 0
    later_at = device.from_at if is_later and device.from_at is not None else None
    if later_at is not None and not (meter.installed_at or 0) < later_at:
        later_at = None
    if later_at is not None:
        since = later_at + 1
    kept = []
    for reading in readings:
        if reading.value > 0:
            kept.append(reading)
            continue
        positive = any(r.value > 0 and since <= r.stamp < reading.stamp for r in everything)
        if later_at is not None and device.start_index.get(register):
            positive = reading.stamp > later_at
        if positive:
            findings.append(Finding(meter.id, register, reading.stamp, "zero-after-positive"))
        else:
            kept.append(reading)
    return kept


def _standing(
    meter: Meter,
    register: str,
    readings: list[Reading],
    at: int | None,
    declared: object,
    findings: list[Finding],
) -> list[Reading]:
    """The readings with the declared index at an edge, instead of one that stands there."""
    assert isinstance(declared, dict)
    if at is None or register not in declared:
        return readings
    value = declared[register]
    findings.extend(
        Finding(meter.id, register, at, "index-out-of-order")
        for reading in readings
        if reading.stamp == at and reading.value != value
    )
    others = [reading for reading in readings if reading.stamp != at]
    return sorted([*others, Reading(at, value)], key=lambda reading: reading.stamp)


def cut_at_serials(meter: Meter, register: str, run: Run, findings: list[Finding]) -> list[Run]:
    """Cut a run wherever the serial of two neighbouring readings differs."""
    cuts = []
    for position, (before, after) in enumerate(pairwise(run.readings), start=1):
        if before.serial and after.serial and before.serial != after.serial:
            cuts.append(position)
            findings.append(Finding(meter.id, register, after.stamp, "serial-changed"))
    bounds = [0, *cuts, len(run.readings)]
    edges = [run.start_at, *(run.readings[cut].stamp for cut in cuts), run.end_at]
    return [
        replace(
            run,
            readings=run.readings[bounds[number] : bounds[number + 1]],
            start_at=edges[number],
            end_at=edges[number + 1],
            by_reset=run.by_reset and number == 0,
        )
        for number in range(len(bounds) - 1)
    ]


def zeros_in_doubt(readings: Sequence[Reading]) -> list[int]:
    """The stamps of one to three zeros amid an index that goes on as if nothing had happened.

    Two indexes on each side, none 0, do not fall, and the first after the zeros, counted anew since
    the last before them, is more than ten times as fast as any step there.
    """
    doubted = []
    for first in range(2, len(readings)):
        for count in (1, 2, 3):
            zeros = readings[first : first + count]
            beside = [*readings[first - 2 : first], *readings[first + count : first + count + 2]]
            values = [each.value for each in beside]
            if any(zero.value for zero in zeros) or len(values) < 4 or not all(values):
                continue
            if values != sorted(values):
                continue
            _, last, after, _ = beside
            fast = Fraction(after.value, after.stamp - last.stamp)
            rates = [Fraction(b.value - a.value, b.stamp - a.stamp) for a, b in pairwise(beside)]
            if fast > 10 * max(rates):
                doubted += [zero.stamp for zero in zeros]
    return doubted


def at_zeros_in_doubt(run: Run) -> Run:
    """Let the index break where zeros in doubt begin and end."""
    doubted = zeros_in_doubt(run.readings)
    breaks = [
        (a.stamp, b.stamp)
        for a, b in pairwise(run.readings)
        if (a.stamp in doubted) != (b.stamp in doubted)
    ]
    return replace(run, breaks=breaks)


def cut_at_falls(run: Run) -> list[Run]:
    """Cut the run of a counter that begins again: wherever it falls it was reset.

    But for zeros in doubt.
    """
    parts = [run]
    doubted = zeros_in_doubt(run.readings)
    for before, after in pairwise(run.readings):
        if after.value < before.value and after.stamp not in doubted:
            *kept, last = parts
            at = [reading.stamp for reading in last.readings].index(after.stamp)
            head = replace(last, readings=last.readings[:at], end_at=after.stamp)
            tail = replace(last, readings=last.readings[at:], start_at=after.stamp, by_reset=True)
            parts = [*kept, head, tail]
    return parts


def after_reset(before: list[Run], run: Run) -> Run:
    """Let a run after a reset begin with 0, estimated, at the last reading of before it."""
    if not run.by_reset or not before or not before[-1].readings:
        return run
    at = before[-1].readings[-1].stamp
    before[-1] = replace(before[-1], end_at=at)
    return replace(run, readings=[Reading(at, 0, True), *run.readings], start_at=at)
