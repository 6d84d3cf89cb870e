"""What the use cases need of a store.

A `Snapshot` is one consistent view; a `Change` is a transaction that alone writes to its site.
Sites, meters and sensors are named by their numbers within the store; days are UTC days, ranges of
days half open.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from commonwatt.app.accounts.authorize import AccessReader, GrantedSite
from commonwatt.app.errors import DamagedDay
from commonwatt.domain.energy.register_gaps import EstimatedSpan
from commonwatt.domain.locking.rule_change import RuleChange
from commonwatt.domain.metering.catalogue import (
    Group,
    Medium,
    Meter,
    Sensor,
    Site,
    SiteCatalogue,
    SiteFacts,
)
from commonwatt.domain.metering.edits import Edit
from commonwatt.domain.metering.findings import Finding
from commonwatt.domain.metering.load_profile import LoadProfile, Qualities, SiteBalance
from commonwatt.domain.metering.readings import SensorValues, StoredReadings
from commonwatt.domain.reference.reference import ReferenceQuarters
from commonwatt.domain.settlement import Settlement
from commonwatt.domain.vee.ordinary import HighestDays
from commonwatt.domain.vee.plausible_days import PlausibleDays


@dataclass(frozen=True, slots=True)
class RegisterSpan:
    """What was ever said of a register: UTC days ``first_day`` to ``last_day``, both inclusive.

    Stamps that can never be used (ahead of their delivery, before 2000) may lie outside.

    ``first_positive_at`` [Unix seconds] is the first index above 0 that counts, None without one.
    ``plausible`` are the days of all of its meter's registers that hang together with the newest,
    ``highest`` those with the register's highest powers, None: not known yet.
    """

    first_day: int
    last_day: int
    first_positive_at: int | None
    plausible: PlausibleDays | None = None
    highest: HighestDays | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One write of readings, as it was recorded.

    ``recorded_us`` [Unix microseconds]; the readings lie on the UTC days ``first_day`` to
    ``last_day``, both inclusive. ``withdrawn_us`` is None while it counts. ``not_counting`` is how
    many of its rows did not count when it came, None of deliveries from before that was kept.
    """

    number: int
    recorded_us: int
    account: str
    source: str
    accepted: int
    unchanged: int
    superseding: int
    rejected: int
    first_day: int | None
    last_day: int | None
    withdrawn_us: int | None = None
    withdrawn_reason: str | None = None
    not_counting: int | None = None


@dataclass(frozen=True, slots=True)
class DayState:
    """What is kept of the results of a UTC day of a group.

    ``since_generation`` is that of the first change that ever concerned the day; before it, the day
    had no results. ``generation`` is the one that its result was computed from, None where it never
    was; ``dirty_since`` that of the first change since then, None where there was none.
    """

    day: int
    since_generation: int
    generation: int | None
    dirty_since: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LockStep:
    """A step of locking: what lies before ``until_at`` [Unix seconds] is frozen.

    ``content_hash`` is that of what this step froze, the hash of the step before included;
    ``locked_us`` [Unix microseconds] when and ``account`` by whom; ``despite`` why although things
    were to do, None where nothing was.
    """

    group: Group
    until_at: int
    content_hash: str
    locked_us: int
    account: str
    despite: str | None = None


@dataclass(frozen=True, slots=True)
class RulesPending:
    """A locked UTC day that an upgrade of the rules marked and that was not settled since.

    ``generation`` is that of the upgrade, ``at_us`` [Unix microseconds] the last instant at which
    anything was recorded until then. ``is_corrected``: something has been since.
    """

    day: int
    generation: int
    at_us: int
    is_corrected: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredScan:
    """What looking at every stored day of a site found.

    ``damaged`` says which are, one error each; of readings they lie on the UTC ``damaged_days``.
    ``readings`` counts the rows that are stored of each delivery, ``unchecked`` the days without a
    checksum.
    """

    damaged: Sequence[DamagedDay]
    damaged_days: frozenset[int]
    readings: Mapping[int, int]
    unchecked: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was recorded of a site at or before an instant, told from what was recorded later.

    Deliveries below ``later_from`` were there, above only ``stragglers``; ``withdrawn`` did not
    count. ``last_day`` is the last UTC day of which they can say anything that counts, None where
    there were none; ``later_first_day`` the first one of those that came later. ``turned``: since
    then a delivery was withdrawn or reinstated, or something was declared. A result of no later
    generation than ``generation`` holds nothing later; a day first concerned by a later one than
    ``concerned_until`` had no results.
    """

    later_from: int
    stragglers: frozenset[int]
    withdrawn: frozenset[int]
    last_day: int | None
    later_first_day: int | None
    turned: bool
    generation: int
    concerned_until: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """Who did what, when and why: ``at`` [Unix seconds]; ``site`` is None for all of them."""

    at: int
    account: str
    site: int | None
    action: str
    subject: str
    reason: str


class CatalogueTables(Protocol):
    """Sites, meters and sensors with their facts."""

    def sites(self) -> Sequence[Site]:
        """All sites, ascending by number."""

    def catalogue(self, site: int) -> SiteCatalogue:
        """A site with all that is declared of it."""

    def generation(self, site: int) -> int:
        """The site's change number."""

    def site_having(self, id_: str) -> int | None:
        """The number of the site that has a meter or a sensor of this id."""

    def next_generation(self, site: int, catalogue_changed_us: int | None = None) -> int:
        """Draw the next change number; the change that draws it commits under it.

        ``catalogue_changed_us`` [Unix microseconds]: what is declared is about to change, now. What
        was declared until then is kept, so draw first and change afterwards.
        """

    def add_site(self, site: Site, facts: Sequence[SiteFacts]) -> None:
        """Add a site."""

    def put_site(self, site: Site, facts: Sequence[SiteFacts]) -> None:
        """Replace what is declared of a site."""

    def put_meter(self, site: int, meter: Meter) -> None:
        """Add a meter, or replace what is declared of it."""

    def put_sensor(self, site: int, sensor: Sensor) -> None:
        """Add a sensor, or replace what is declared of it."""

    def remove_site(self, site: int) -> None:
        """Delete a site with all that is kept of it, the audit trail apart; its number stays used.

        A later change of the site raises `SiteRemoved`.
        """


class ReadingTables(Protocol):
    """Deliveries and the readings they brought."""

    def add_delivery(self, site: int, delivery: Delivery) -> None:
        """Record a delivery."""

    def deliveries(self, site: int) -> Sequence[Delivery]:
        """The deliveries of a site, ascending."""

    def set_withdrawn(self, site: int, number: int, at_us: int, reason: str | None) -> None:
        """Withdraw a delivery at an instant for a reason, or reinstate it (None)."""

    def withdrawn(self, site: int) -> frozenset[int]:
        """The numbers of the site's withdrawn deliveries."""

    def register_spans(
        self, site: int, meters: Collection[int]
    ) -> dict[int, dict[str, RegisterSpan]]:
        """What was ever said of each register of the meters."""

    def put_register_spans(
        self, site: int, spans: Mapping[tuple[int, str], RegisterSpan], generation: int
    ) -> None:
        """Replace the spans of (meter, register)."""

    def readings(
        self, site: int, meters: Collection[int], first_day: int, end_day: int
    ) -> dict[int, StoredReadings]:
        """All that was said of the meters on the days [first, end)."""

    def days_before(self, site: int, meter: int, day: int, count: int) -> list[int]:
        """Up to ``count`` days with readings before a day, the nearest first."""

    def days_after(self, site: int, meter: int, day: int, count: int) -> list[int]:
        """Up to ``count`` days with readings from a day on, the nearest first."""

    def delivery(self, site: int, number: int) -> Delivery | None:
        """One delivery, None if there is none of that number."""

    def delivered(self, site: int, delivery: Delivery) -> dict[int, StoredReadings]:
        """What one delivery said, by meter."""

    def add_readings(
        self, site: int, delivery: int, parts: Iterable[tuple[int, int, StoredReadings]]
    ) -> None:
        """Store (meter, day, readings of that day) of one delivery."""

    def recorded_last(self, site: int, count: int) -> Sequence[tuple[int, int]]:
        """When the last deliveries were recorded: (number, Unix microsecond), ascending."""

    def last_recorded(self, site: int) -> tuple[int, int] | None:
        """When the last delivery was recorded: its number, Unix microsecond."""

    def unlearned(self) -> Sequence[tuple[int, int]]:
        """The (site, meter) that were read before the store kept what is ordinary for them."""

    def waiting(self, until_at: int) -> Sequence[tuple[int, int, int]]:
        """The (site, meter, day) with readings ahead of their delivery up to an instant."""

    def end_waiting(self, site: int, meter: int, day: int, until_at: int) -> None:
        """Let the waiting readings of a meter's day count, up to an instant."""

    def merge_rows(self, site: int, meters: Collection[int], first_day: int, end_day: int) -> None:
        """Merge the rows of each meter-day of [first, end) that has too many."""


class SensorTables(Protocol):
    """The values of sensors."""

    def sensor_values(self, site: int, sensor: int, first_day: int, end_day: int) -> SensorValues:
        """All that was said of a sensor on the days [first, end), by day and delivery."""

    def days_after(self, site: int, sensor: int, day: int, count: int) -> list[int]:
        """Up to ``count`` days with values from a day on, the nearest first."""

    def latest_day(self, site: int, sensor: int, before: int) -> int | None:
        """The last day with values of those before a day."""

    def add_sensor_values(
        self, site: int, delivery: int, parts: Iterable[tuple[int, int, SensorValues]]
    ) -> None:
        """Store (sensor, day, values of that day) of one delivery; merge rows if there are many."""


class ResultTables(Protocol):
    """Settled days, and the marks on those that are to be settled anew."""

    def mark_dirty(
        self, site: int, group: Group, spans: Iterable[tuple[int, int]], generation: int
    ) -> None:
        """Mark the days of the spans [first, end)."""

    def dirty_days(
        self, site: int, group: Group, first_day: int | None = None, end_day: int | None = None
    ) -> list[int]:
        """The marked days of [first, end), ascending; without bounds all."""

    def known_days(self, site: int, group: Group) -> tuple[int, int] | None:
        """The days [first, end) that changes ever concerned; None before any change."""

    def dirty_groups(self) -> list[tuple[int, Group]]:
        """The (site, group) that have marked days."""

    def estimated_spans(self, site: int, first_day: int, end_day: int) -> Sequence[EstimatedSpan]:
        """The gaps of the site's meters that meet the days [first, end)."""

    def settled_days(self, site: int, group: Group, first_day: int, end_day: int) -> list[int]:
        """The days of [first, end) that were ever settled, ascending."""

    def day_states(
        self, site: int, group: Group, first_day: int, end_day: int
    ) -> Sequence[DayState]:
        """The days of [first, end) that a change ever concerned, ascending."""

    def put_settlement(
        self,
        site: int,
        group: Group,
        meters: Collection[int],
        settlement: Settlement,
        generation: int,
    ) -> None:
        """Store the settled UTC days of a run and clear their marks.

        ``meters`` are all of the group; one without a profile is not alive there. A day that was
        computed from a newer generation is left alone, and so is a newer mark; an estimate whose
        reference days changed since its generation is not stored and stays marked. Locked
        quarter-hours stay as they are; what differs there is kept beside them.
        """

    def profile(
        self,
        site: int,
        meter: int,
        first_day: int,
        end_day: int,
        apart_from: Collection[int] = (),
    ) -> LoadProfile:
        """The stored quarter-hours of the days [first, end), without their method.

        ABSENT where nothing is stored, and on the days ``apart_from``. Raises `DamagedDay`.
        """

    def put_rule_changes(
        self,
        site: int,
        group: Group,
        meters: Collection[int],
        settlement: Settlement,
        generation: int,
    ) -> None:
        """Store what an upgrade of the rules makes of locked days, and what it changed of them.

        ``settlement`` is of what was known at the upgrade, of that ``generation``; marks stay.
        """

    def report_damaged(self, site: int, group: Group, days: Collection[int]) -> None:
        """Remember days with damaged results for `Store.take_damaged`."""

    def methods(
        self,
        site: int,
        meter: int,
        first_day: int,
        end_day: int,
        apart_from: Collection[int] = (),
    ) -> Qualities:
        """How the stored quarter-hours of the days [first, end) were found: codes of `Method`.

        Apart from `profile`, whose answers do not tell it. NONE where nothing is stored.
        """

    def balance(
        self,
        site: int,
        medium: Medium,
        first_day: int,
        end_day: int,
        apart_from: Collection[int] = (),
    ) -> SiteBalance:
        """The stored balance of the days [first, end).

        ABSENT where nothing is stored, and on the days ``apart_from``. Raises `DamagedDay`.
        """

    def findings(
        self, site: int, meters: Collection[int], first_day: int, end_day: int
    ) -> list[Finding]:
        """The stored findings of the days [first, end), ascending by meter and instant."""


class EditTables(Protocol):
    """Quarter-hours that somebody set or cleared."""

    def edits(
        self, site: int, start_at: int | None = None, end_at: int | None = None
    ) -> Sequence[Edit]:
        """The edits that touch [start, end), undone ones too, ascending by number."""

    def add_edit(self, site: int, edit: Edit, generation: int) -> None:
        """Store an edit under its number, with the generation of the change that it is."""

    def set_undone(self, site: int, number: int, at_us: int, account: str) -> None:
        """Let an edit count no more."""


class LockTables(Protocol):
    """Until when the groups of a site are locked, and what would be answered without."""

    def steps(self, site: int) -> Sequence[LockStep]:
        """The steps of all groups that are in force, ascending by group and instant."""

    def locked_until(self, site: int, group: Group) -> int | None:
        """The instant [Unix seconds] before which a group is locked; None where it is not."""

    def add_step(self, site: int, step: LockStep) -> None:
        """Lock a group further."""

    def take_back(self, site: int, group: Group, meters: Collection[int], until_at: int) -> None:
        """Drop the steps after an instant, and answer what would be answered from it on."""

    def open_days(
        self, site: int, meters: Collection[int], first_day: int, end_day: int
    ) -> list[int]:
        """The days of [first, end) on which meters would answer otherwise without the lock."""

    def open_profile(
        self,
        site: int,
        meter: int,
        first_day: int,
        end_day: int,
        apart_from: Collection[int] = (),
    ) -> LoadProfile:
        """As `ResultTables.profile`, as it would be without the lock, with its methods."""

    def open_balance(
        self,
        site: int,
        medium: Medium,
        first_day: int,
        end_day: int,
        apart_from: Collection[int] = (),
    ) -> SiteBalance:
        """As `ResultTables.balance`, as it would be without the lock."""

    def rule_change(self, site: int, meter: int, first_day: int, end_day: int) -> RuleChange:
        """What upgrades of the rules alone changed of the locked days [first, end) of a meter."""

    def rules_pending(
        self, site: int, group: Group, days: tuple[int, int] | None = None
    ) -> list[RulesPending]:
        """The locked days of [first, end) that an upgrade marked and that were not settled since.

        Ascending; of days on which something was to be settled before already there is none.
        """


class HistoryTables(Protocol):
    """What was known of a site at instants of the past."""

    def known_at(self, site: int, at_us: int) -> Known | None:
        """What was recorded at or before an instant [Unix microseconds]; None for all there is."""

    def catalogue_at(self, site: int, at_us: int) -> SiteCatalogue | None:
        """What was declared at an instant [Unix microseconds]; None for what still is."""

    def declared_us(self, site: int) -> Sequence[int]:
        """When what is declared was changed [Unix microseconds], ascending."""


class ReferenceTables(Protocol):
    """What another platform says of meters, and how far it has been copied."""

    def days_with_reference_series(self, site: int) -> Mapping[int, Sequence[int]]:
        """The days with anything kept of each meter that has any, ascending."""

    def reference(self, site: int, meter: int, first_day: int, end_day: int) -> ReferenceQuarters:
        """What is kept of the days [first, end)."""

    def put_reference(
        self, site: int, meter: int, first_day: int, end_day: int, quarters: ReferenceQuarters
    ) -> None:
        """Replace all that is kept of the days [first, end), within which the quarter-hours lie."""

    def copied_until(self, site: int) -> Mapping[str, int]:
        """The instant [Unix seconds] up to which the series of meters and sensors are copied."""

    def raise_copied_until(self, site: int, item: str, until_at: int) -> None:
        """Record until when the series of a meter or sensor is copied; never move it back."""


class IntegrityTables(Protocol):
    """Whether a store is as it was stored."""

    def file_faults(self) -> Sequence[str]:
        """What the database itself finds damaged."""

    def count(self, site: int) -> int:
        """How many rows with a checksum a site has."""

    def scan(self, site: int, looked: Callable[[int], None]) -> StoredScan:
        """Check every row of a site; ``looked`` is called with how many more were checked."""

    def differing(
        self, site: int, group: Group, meters: Collection[int], settlement: Settlement
    ) -> Sequence[tuple[int | str, int]]:
        """The (meter or medium, day) whose stored results differ from a settlement's."""


class Snapshot(AccessReader, Protocol):
    """One consistent view of the store."""

    @property
    def catalogue(self) -> CatalogueTables:
        """Sites, meters, sensors."""

    @property
    def readings(self) -> ReadingTables:
        """Deliveries and readings."""

    @property
    def sensors(self) -> SensorTables:
        """Values of sensors."""

    @property
    def results(self) -> ResultTables:
        """Settled days."""

    @property
    def edits(self) -> EditTables:
        """Edited quarter-hours."""

    @property
    def locks(self) -> LockTables:
        """What is locked."""

    @property
    def history(self) -> HistoryTables:
        """What was known before."""

    @property
    def integrity(self) -> IntegrityTables:
        """Whether all of it is as it was stored."""

    @property
    def reference(self) -> ReferenceTables:
        """What another platform says."""

    def granted_sites(self, account: str) -> Sequence[GrantedSite]:
        """All sites that are granted to an account, ascending by id."""

    def first_grant(self) -> tuple[str, str] | None:
        """An account and the id of a site that is granted to it; None while there is no grant."""

    def audit_trail(self, start_at: int, end_at: int) -> Sequence[AuditLine]:
        """What was recorded in [start, end) [Unix seconds], in the order in which it was done."""


class Change(Snapshot, Protocol):
    """A transaction that alone writes to its site; durable when its context ends well."""

    def audit(
        self, at: int, account: str, site: int, action: str, subject: str, reason: str
    ) -> None:
        """Record who did what, and why."""


class Store(Protocol):
    """Where everything is kept. Raises the errors of a store."""

    @property
    def reads_inline(self) -> bool:
        """Whether reading is so quick that it may be done on an event loop."""

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """Open a consistent view."""

    def change(self, site: int) -> AbstractContextManager[Change]:
        """Open a transaction that alone writes to a site."""

    def new_site(self) -> AbstractContextManager[tuple[Change, int]]:
        """Open a transaction for a site that is to be added, with its number."""

    def try_write(self, at: float) -> None:
        """Write a row of no meaning, with an instant [Unix seconds]; durable when this returns."""

    def take_damaged(self) -> Sequence[tuple[int, Group, int]]:
        """The (site, group, day) of damaged results that reads of this process met since."""
