"""``commonwatt account grant``, ``revoke`` and ``set``: what an account may see and do."""

from typing import Annotated

import typer

from commonwatt.app.accounts.authorize import Habits, Role, SiteList
from commonwatt.cli.accounts.options import (
    AllHistory,
    HistoryFrom,
    Name,
    OnOff,
    RequiredSites,
    history_date,
    now_at,
    opened_accounts,
    shown_grant,
)
from commonwatt.cli.faults import Failed
from commonwatt.cli.stores import BY_COMMAND_LINE, Data, DatabaseUrl


def grant(
    name: Name,
    site: RequiredSites,
    history_from: HistoryFrom = None,
    all_history: AllHistory = False,
    meter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METER",
            help="A meter that it may read, by id, name or type:prim_ad; at first these alone.",
        ),
    ] = None,
    closed_meter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="METER",
            help="A meter that it may list and not read, named likewise; may be repeated.",
        ),
    ] = None,
    all_meters: Annotated[
        bool, typer.Option("--all-meters", help="Open all meters, also those added later.")
    ] = False,
    least_closed: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Answer totals of the site only with N consumers closed, or none.",
        ),
    ] = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Let an account see sites, or change its grants on them: what is not said stays as it is.

    Examples: commonwatt account grant heidi --site CH-0012 --history-from 2026-01-01;
    commonwatt account grant heidi --site CH-0012 --closed-meter "Flat 3"
    """
    from commonwatt.app.accounts.grants import GrantChange, grant_sites

    if all_meters and meter:
        raise typer.BadParameter(
            "does not go with --all-meters, which opens all", param_hint="--meter"
        )
    wanted = GrantChange(
        history_from=history_date(history_from, all_history=all_history),
        all_history=all_history,
        meters=meter or (),
        closed_meters=closed_meter or (),
        all_meters=all_meters,
        least_closed=least_closed,
    )
    with opened_accounts(data, database_url) as accounts:
        grants = grant_sites(accounts, name, site, wanted, at=now_at(), by=BY_COMMAND_LINE)
    for each in grants:
        typer.echo(f"account {name} may see {shown_grant(each)}")


def revoke(
    name: Name, site: RequiredSites, data: Data = None, database_url: DatabaseUrl = None
) -> None:
    """Take sites from an account.

    Example: commonwatt account revoke heidi --site CH-0012
    """
    from commonwatt.app.accounts.grants import revoke_sites

    with opened_accounts(data, database_url) as accounts:
        revoke_sites(accounts, name, site, at=now_at(), by=BY_COMMAND_LINE)
    typer.echo(f"account {name} may no longer see {', '.join(site)}")


def set_(
    name: Name,
    role: Annotated[Role | None, typer.Option(help="What it is for.")] = None,
    site_list: Annotated[SiteList | None, typer.Option(help="How it is told its sites.")] = None,
    habits: Annotated[
        Habits | None, typer.Option(help="Which clients it is answered for: of today or of 2022.")
    ] = None,
    rate_limit: Annotated[
        OnOff | None, typer.Option(help="One request a second, or no limit.")
    ] = None,
    history_from: HistoryFrom = None,
    all_history: AllHistory = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Change an account; what is not said stays as it is. The history is that of all its sites.

    Example: commonwatt account set heidi --role operator --rate-limit off
    """
    from commonwatt.app.accounts.administer import AccountSettings, set_account

    wanted = AccountSettings(
        role=role,
        site_list=site_list,
        habits=habits,
        rate_limited=None if rate_limit is None else rate_limit is OnOff.ON,
        history_from=history_date(history_from, all_history=all_history),
        all_history=all_history,
    )
    if wanted == AccountSettings():
        raise Failed("nothing to change is said; `commonwatt account set --help` lists what can be")
    with opened_accounts(data, database_url) as accounts:
        after = set_account(accounts, name, wanted, at=now_at(), by=BY_COMMAND_LINE)
    account = after.account
    typer.echo(
        f"account {name} is {account.role}, rate limit {'on' if account.rate_limited else 'off'}, "
        f"site list {account.listing}, habits {account.habits}"
    )
    for each in after.grants:
        typer.echo(f"it may see {shown_grant(each)}")
