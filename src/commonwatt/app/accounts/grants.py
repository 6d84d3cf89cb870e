"""Which sites, which of their meters and from when on an account may read: given and taken away.

A grant is changed by what is said and by nothing else: what is not said stays as it is. ``at`` is
the moment of the change in Unix seconds, ``by`` who makes it; both are written down.
"""

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from commonwatt.app.accounts.accounts import (
    Account,
    AllMetersOpen,
    Grant,
    NoSuchMeter,
    NoSuchSite,
    NotGranted,
    OpenAndClosed,
    SeveralMeters,
    SiteName,
    UnknownAccount,
)
from commonwatt.app.accounts.store import AccountChange, AccountStore, AccountView
from commonwatt.domain.balance.rule_meter import computed_from
from commonwatt.domain.metering.catalogue import Meter, SiteCatalogue
from commonwatt.domain.metering.zones import local_midnight

_ID = re.compile("[0-9a-f]{24}")
_ADDRESS = re.compile(r"(?:prim_ad:|(?P<type>[a-z_]+)[ :])(?P<prim_ad>\d{1,9})", re.ASCII)


def meters_meant(catalogue: SiteCatalogue, wanted: str) -> list[Meter]:
    """Return the meters of an id, an address (``prim_ad:11``, ``electricity:11``) or a name.

    A type and its prim_ad may also have a blank between. A name that is written like an address
    means both.
    """
    if _ID.fullmatch(wanted):
        meter = catalogue.meter_by_id.get(wanted)
        return [] if meter is None else [meter]
    address = _ADDRESS.fullmatch(wanted)
    return [
        meter
        for meter in catalogue.meters
        if meter.name == wanted
        or (
            address is not None
            and meter.prim_ad == int(address["prim_ad"])
            and address["type"] in (None, meter.medium.value)
        )
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantChange:
    """What is to change of a grant.

    ``history_from`` is a local date of each site's own zone; ``all_history`` takes the limit away.
    Meters are named by id, name or address. ``meters`` are opened: of a new grant these alone.
    ``closed_meters`` are closed, and with them the meters that are computed from them and are not
    among ``meters``. ``all_meters`` opens what was closed, and what will be added. ``least_closed``
    is the least number of closed consumers with which totals of the site are told.
    """

    history_from: dt.date | None = None
    all_history: bool = False
    meters: Sequence[str] = ()
    closed_meters: Sequence[str] = ()
    all_meters: bool = False
    least_closed: int | None = None


NO_CHANGE = GrantChange()


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantListing:
    """A grant with the site's names, and the site's meters that it opens and that it closes."""

    site: SiteName
    grant: Grant
    open_meters: Sequence[Meter]
    closed_meters: Sequence[Meter]


def grant_sites(
    store: AccountStore,
    name: str,
    sites: Sequence[str],
    wanted: GrantChange = NO_CHANGE,
    *,
    at: int,
    by: str,
) -> list[GrantListing]:
    """Grant sites to an account, or change its grants on them; the grants as they are then.

    Raises UnknownAccount, NoSuchSite, NoSuchMeter, SeveralMeters, OpenAndClosed and AllMetersOpen;
    nothing is stored then.
    """
    with store.change() as change:
        require_account(change, name)
        return [put_grant(change, name, site, wanted, at, by) for site in named(change, sites)]


def revoke_sites(store: AccountStore, name: str, sites: Sequence[str], *, at: int, by: str) -> None:
    """Take sites from an account. Raises UnknownAccount, NoSuchSite and NotGranted."""
    with store.change() as change:
        require_account(change, name)
        granted = {grant.site for grant in change.grants(name)}
        for site in named(change, sites):
            if site.number not in granted:
                raise NotGranted(name, site.id)
            change.drop_grant(name, site.number)
            change.record(by, "revoke", name, at=at, site=site.number)


def list_grants(view: AccountView, name: str) -> list[GrantListing]:
    """The grants of an account, by site."""
    sites = {site.number: site for site in view.sites()}
    return [_listing(view, sites[grant.site], grant) for grant in view.grants(name)]


def put_grant(
    change: AccountChange, name: str, site: SiteName, wanted: GrantChange, at: int, by: str
) -> GrantListing:
    """Grant a site to an account, or change its grant on it, within a change of the accounts."""
    held = next((each for each in change.grants(name) if each.site == site.number), None)
    grant = held or Grant(site=site.number)
    if wanted.all_history:
        grant = replace(grant, history_from=None)
    if wanted.history_from is not None:
        midnight_at = local_midnight(site.timezone, wanted.history_from)
        grant = replace(grant, history_from=midnight_at)
    if wanted.least_closed is not None:
        grant = replace(grant, least_closed=wanted.least_closed)
    catalogue = change.catalogue(site.number)
    grant = replace(grant, open_meters=_open_meters(catalogue, name, site, held, wanted))
    change.put_grant(name, grant)
    change.record(by, "grant" if held is None else "change grant", name, at=at, site=site.number)
    return _listing(change, site, grant)


def require_account(view: AccountView, name: str) -> Account:
    """The account of that name. Raises UnknownAccount."""
    account = view.account(name)
    if account is None:
        raise UnknownAccount(name, (each.name for each in view.accounts()))
    return account


def named(view: AccountView, wanted: Iterable[str]) -> list[SiteName]:
    """Sites by id, else by reference. Raises NoSuchSite."""
    known = view.sites()
    by_name = {site.site_ref: site for site in known} | {site.id: site for site in known}
    found: list[SiteName] = []
    for site in wanted:
        if site not in by_name:
            raise NoSuchSite(site, (each.site_ref or each.id for each in known))
        found.append(by_name[site])
    return found


def _open_meters(
    catalogue: SiteCatalogue, name: str, site: SiteName, held: Grant | None, wanted: GrantChange
) -> frozenset[str] | None:
    """The meters that are open after a change; None: all, also those to come."""
    opened = _meant(catalogue, site, wanted.meters)
    closed = _meant(catalogue, site, wanted.closed_meters)
    for meter_id in opened & closed:
        raise OpenAndClosed(catalogue.meter_by_id[meter_id].name)
    before = None if held is None or wanted.all_meters else held.open_meters
    if before is not None:
        before |= opened
    elif held is None and opened:
        before = opened
    elif opened and not closed:
        raise AllMetersOpen(name, site.site_ref or site.id)
    if not closed:
        return before
    along = computed_from(catalogue, closed) - opened
    everything = frozenset(catalogue.meter_by_id)
    return (everything if before is None else before) - closed - along


def _meant(catalogue: SiteCatalogue, site: SiteName, wanted: Iterable[str]) -> frozenset[str]:
    ids: set[str] = set()
    for each in wanted:
        found = meters_meant(catalogue, each)
        if not found:
            raise NoSuchMeter(each, site.site_ref or site.id)
        if len(found) > 1:
            raise SeveralMeters(each, site.site_ref or site.id, (meter.id for meter in found))
        ids.add(found[0].id)
    return frozenset(ids)


def _listing(view: AccountView, site: SiteName, grant: Grant) -> GrantListing:
    meters = view.catalogue(site.number).meters
    is_open = [grant.open_meters is None or meter.id in grant.open_meters for meter in meters]
    return GrantListing(
        site=site,
        grant=grant,
        open_meters=[meter for meter, shown in zip(meters, is_open, strict=True) if shown],
        closed_meters=[meter for meter, shown in zip(meters, is_open, strict=True) if not shown],
    )
