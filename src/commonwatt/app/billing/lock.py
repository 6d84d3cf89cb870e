"""Locking what was billed: a group's results before an instant stay as they are.

Later corrections are stored and settled; what they would change of a locked quarter-hour is told
apart, as a difference. Locking goes step by step, each with a hash of what it froze.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from commonwatt.app.billing.lock_hash import content_hash_of
from commonwatt.app.declaring.apply import CannotChange
from commonwatt.app.findings.task import Task
from commonwatt.app.findings.worklist import open_tasks
from commonwatt.app.ports import Change, LockStep, Snapshot, Store
from commonwatt.app.settling.settle_site import LONGEST_RUN_DAYS, settle_days, settle_site
from commonwatt.domain.metering.catalogue import Group, SiteCatalogue
from commonwatt.domain.metering.life import OLDEST_STAMP_AT
from commonwatt.domain.metering.local_time import local_stamp
from commonwatt.domain.metering.quarter_hours import DAY_S, QUARTER_S, day_spans

_MICROSECONDS = 1_000_000


class CannotLock(CannotChange):
    """A lock cannot be set or taken back to that instant; the message says why."""

    def __init__(self, message: str) -> None:
        super().__init__("until", message)


class OpenTasks(CannotChange):
    """Something is to do in the period that is to be locked, and nobody said why not to wait."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.tasks = tuple(tasks)
        self.count_told = "1 thing is" if len(tasks) == 1 else f"{len(tasks)} things are"
        kinds = ", ".join(dict.fromkeys(each.kind for each in tasks))
        super().__init__(
            "despite",
            f"{self.count_told} to do before it can be locked ({kinds}): see the worklist, or say "
            "despite what it is locked, with the reason",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupLock:
    """A group's lock: its results before ``until_at`` [Unix seconds] are frozen.

    ``steps`` ascend; the last one's hash covers those before, and so everything that is locked.
    """

    group: Group
    steps: tuple[LockStep, ...]

    @property
    def last(self) -> LockStep:
        """The step that reaches farthest."""
        return self.steps[-1]


def read_locks(snapshot: Snapshot, site: int) -> list[GroupLock]:
    """Read the locks of a site, in the order of the groups; one that is not locked has none."""
    steps = snapshot.locks.steps(site)
    of_group = ((group, tuple(each for each in steps if each.group is group)) for group in Group)
    return [GroupLock(group=group, steps=found) for group, found in of_group if found]


def lock_group(
    store: Store,
    site: int,
    group: Group,
    until_at: int,
    account: str,
    now_us: int,
    despite: str | None = None,
) -> GroupLock:
    """Freeze a group's results before an instant [Unix seconds]; return the lock.

    What is dirty before it is settled first. Locked until then already, it changes nothing.
    ``despite`` says why it is locked although something is to do; it is kept with the lock where
    that is so. Raises `OpenTasks` for a period with something to do, `CannotLock` for an instant in
    the future, within a quarter-hour, or before what is locked, and the errors of a store.
    """
    with store.snapshot() as snapshot:
        zone = snapshot.catalogue.catalogue(site).site.timezone
    _check_instant(until_at, zone)
    if until_at > now_us // _MICROSECONDS:
        raise CannotLock(f"{local_stamp(until_at, zone)} is in the future; lock what has been")
    end_day = -(-until_at // DAY_S)
    settle_site(store, site, group, None, end_day)
    with store.snapshot() as snapshot:
        catalogue = snapshot.catalogue.catalogue(site)
        looked_at = snapshot.catalogue.generation(site)
        tasks = open_tasks(snapshot, catalogue, group, until_at)
    if tasks and despite is None:
        raise OpenTasks(tasks)
    with store.change(site) as change:
        catalogue = change.catalogue.catalogue(site)
        locked_until_at = change.locks.locked_until(site, group)
        if locked_until_at is not None and until_at < locked_until_at:
            until = local_stamp(locked_until_at, zone)
            raise CannotLock(f"{group} is locked until {until} already; unlock takes a lock back")
        if until_at != locked_until_at:
            _settle_late(change, catalogue, group, end_day)
            if change.catalogue.generation(site) != looked_at:
                # Something was written since; nothing can come between any more.
                tasks = open_tasks(change, catalogue, group, until_at)
                if tasks and despite is None:
                    raise OpenTasks(tasks)
            content_hash = content_hash_of(change, catalogue, group, until_at)
            step = LockStep(
                group=group,
                until_at=until_at,
                content_hash=content_hash,
                locked_us=now_us,
                account=account,
                despite=despite if tasks else None,
            )
            change.locks.add_step(site, step)
            subject = f"{group} until {local_stamp(until_at, zone)}"
            why = content_hash if step.despite is None else f"{content_hash}, despite: {despite}"
            change.audit(now_us // _MICROSECONDS, account, site, "lock", subject, why)
        return next(lock for lock in read_locks(change, site) if lock.group is group)


def unlock_group(
    store: Store, site: int, group: Group, until_at: int, reason: str, account: str, now_us: int
) -> GroupLock | None:
    """Take a group's lock back to an instant [Unix seconds], for a reason; return what is left.

    To the instant of the lock itself: its last step is undone. What was settled meanwhile becomes
    the answer from there on. Raises `CannotLock`, also where the group is not locked that far, and
    the errors of a store.
    """
    with store.change(site) as change:
        catalogue = change.catalogue.catalogue(site)
        zone = catalogue.site.timezone
        _check_instant(until_at, zone)
        steps = [step for step in change.locks.steps(site) if step.group is group]
        if not steps or until_at > steps[-1].until_at:
            reach = f"only until {local_stamp(steps[-1].until_at, zone)}" if steps else "not"
            raise CannotLock(f"{group} is {reach} locked; there is nothing to unlock")
        if until_at == steps[-1].until_at:
            until_at = steps[-2].until_at if len(steps) > 1 else OLDEST_STAMP_AT
        cut = next(step for step in steps if step.until_at >= until_at)
        left: LockStep | None = None
        if OLDEST_STAMP_AT < until_at < cut.until_at:
            # What is left of a step has been frozen since that step.
            content_hash = content_hash_of(change, catalogue, group, until_at)
            left = replace(cut, until_at=until_at, content_hash=content_hash)
        meters = [meter.number for meter in catalogue.meters_of(group)]
        change.locks.take_back(site, group, meters, until_at)
        if left is not None:
            change.locks.add_step(site, left)
        everything = until_at <= OLDEST_STAMP_AT
        unlocked = "all of it" if everything else f"from {local_stamp(until_at, zone)} on"
        subject = f"{group}, {unlocked}"
        change.audit(now_us // _MICROSECONDS, account, site, "unlock", subject, reason)
        return next((lock for lock in read_locks(change, site) if lock.group is group), None)


def _check_instant(until_at: int, zone: str) -> None:
    if until_at % QUARTER_S:
        begins_at = until_at - until_at % QUARTER_S
        near = " or ".join(local_stamp(at, zone) for at in (begins_at, begins_at + QUARTER_S))
        raise CannotLock(f"{local_stamp(until_at, zone)} lies within a quarter-hour; say {near}")
    if until_at < OLDEST_STAMP_AT:
        raise CannotLock("nothing lies before 2000; say a later instant")


def _settle_late(change: Change, catalogue: SiteCatalogue, group: Group, end_day: int) -> None:
    """Settle what was written since the rest was settled: from here on nothing can come between."""
    site = catalogue.site.number
    meters = [meter.number for meter in catalogue.meters_of(group)]
    generation = change.catalogue.generation(site)
    days = change.results.dirty_days(site, group, None, end_day)
    for first, end in day_spans(days, LONGEST_RUN_DAYS):
        settlement = settle_days(change, catalogue, group, first, end)
        change.results.put_settlement(site, group, meters, settlement, generation)
