"""``commonwatt account``: accounts, what they may see, and their keys."""

import sys
from typing import Annotated

import typer

from commonwatt.app.accounts.authorize import Habits, Role, SiteList
from commonwatt.cli.accounts.grants import grant, revoke, set_
from commonwatt.cli.accounts.options import (
    HistoryFrom,
    Name,
    OnOff,
    Sites,
    history_date,
    now_at,
    opened_accounts,
    shown_grant,
)
from commonwatt.cli.output import local_time, show_table
from commonwatt.cli.stores import BY_COMMAND_LINE, Data, DatabaseUrl

PasswordStdin = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]

account_commands = typer.Typer(
    no_args_is_help=True, help="Accounts, the sites that they may see, and their keys."
)
key_commands = typer.Typer(
    no_args_is_help=True, help="Long-lived keys, for gateways: sent as a bearer token."
)
account_commands.add_typer(key_commands, name="key")


@account_commands.command()
def add(
    name: Name,
    role: Annotated[Role, typer.Option(help="What it is for.")] = Role.DEVELOPER,
    site: Sites = None,
    history_from: HistoryFrom = None,
    site_list: Annotated[
        SiteList, typer.Option(help="How it is told its sites; clients of 2022 read ids.")
    ] = SiteList.OBJECTS,
    habits: Annotated[
        Habits,
        typer.Option(help="2022: sites as ids, columns of meters and keys as answers had then."),
    ] = Habits.CURRENT,
    rate_limit: Annotated[
        OnOff, typer.Option(help="One request a second, or no limit.")
    ] = OnOff.ON,
    password_stdin: PasswordStdin = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make an account. Its password is asked for on a terminal, else made up and shown once.

    Examples: commonwatt account add heidi --site CH-0012;
    commonwatt account add meter-box --role gateway --site CH-0012 --rate-limit off
    """
    from commonwatt.adapters.passwords import Argon2Passwords
    from commonwatt.app.accounts.administer import NewAccount, add_account

    since = history_date(history_from)
    given = _password(password_stdin)
    new = NewAccount(
        name=name,
        role=role,
        sites=site or (),
        history_from=since,
        site_list=site_list,
        habits=habits,
        rate_limited=rate_limit is OnOff.ON,
        password=given,
    )
    with opened_accounts(data, database_url, create=True) as accounts:
        password = add_account(accounts, Argon2Passwords(), new, at=now_at(), by=BY_COMMAND_LINE)
    typer.echo(f"account {name} added ({role})")
    if not site:
        typer.echo(f"it may see no site yet: commonwatt account grant {name} --site ID", err=True)
    if given is None:
        typer.echo(f"password: {password}")


@account_commands.command("list")
def list_(data: Data = None, database_url: DatabaseUrl = None) -> None:
    """List accounts with their sites.

    Example: commonwatt account list
    """
    from commonwatt.app.accounts.administer import list_accounts

    with opened_accounts(data, database_url) as accounts:
        listings = list_accounts(accounts)
    show_table(
        ("account", "role", "state", "rate limit", "site list", "habits", "keys", "sites"),
        [
            (
                each.account.name,
                each.account.role.value,
                "disabled" if each.account.disabled else "active",
                "on" if each.account.rate_limited else "off",
                each.account.listing.value,
                each.account.habits.value,
                str(len(each.keys)),
                "; ".join(map(shown_grant, each.grants)) or "-",
            )
            for each in listings
        ],
    )


account_commands.command("grant")(grant)
account_commands.command("revoke")(revoke)
account_commands.command("set")(set_)


@account_commands.command()
def password(
    name: Name,
    password_stdin: PasswordStdin = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Give an account another password; its tokens end.

    Example: commonwatt account password heidi
    """
    from commonwatt.adapters.passwords import Argon2Passwords
    from commonwatt.app.accounts.administer import set_password

    given = _password(password_stdin)
    with opened_accounts(data, database_url) as accounts:
        made = set_password(
            accounts, Argon2Passwords(), name, given, at=now_at(), by=BY_COMMAND_LINE
        )
    typer.echo(f"account {name} has a new password")
    if given is None:
        typer.echo(f"password: {made}")


@account_commands.command()
def disable(name: Name, data: Data = None, database_url: DatabaseUrl = None) -> None:
    """Switch an account off; its tokens and keys stop working at once.

    Example: commonwatt account disable heidi
    """
    _switch(name, data, database_url, disabled=True)


@account_commands.command()
def enable(name: Name, data: Data = None, database_url: DatabaseUrl = None) -> None:
    """Switch a disabled account on again.

    Example: commonwatt account enable heidi
    """
    _switch(name, data, database_url, disabled=False)


def _switch(name: str, data: Data, database_url: DatabaseUrl, *, disabled: bool) -> None:
    from commonwatt.app.accounts.administer import set_disabled

    with opened_accounts(data, database_url) as accounts:
        set_disabled(accounts, name, disabled=disabled, at=now_at(), by=BY_COMMAND_LINE)
    typer.echo(f"account {name} is {'disabled' if disabled else 'enabled'}")


@key_commands.command()
def new(
    name: Name,
    label: Annotated[str, typer.Option(metavar="TEXT", help="What it is for.")] = "",
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a key, shown now and never again.

    Example: commonwatt account key new meter-box --label "cellar of CH-0012"
    """
    from commonwatt.app.accounts.administer import make_key

    with opened_accounts(data, database_url) as accounts:
        key = make_key(accounts, name, label=label, at=now_at(), by=BY_COMMAND_LINE)
    typer.echo(f"key: {key}")


@key_commands.command("list")
def list_keys(name: Name, data: Data = None, database_url: DatabaseUrl = None) -> None:
    """List the keys of an account, by the ids that `revoke` takes.

    Example: commonwatt account key list meter-box
    """
    from commonwatt.app.accounts.accounts import UnknownAccount
    from commonwatt.app.accounts.administer import list_accounts

    with opened_accounts(data, database_url) as accounts:
        listings = {each.account.name: each for each in list_accounts(accounts)}
    if name not in listings:
        raise UnknownAccount(name, listings)
    show_table(
        ("id", "made", "label"),
        [(key.id, local_time(key.created_at, "UTC"), key.label) for key in listings[name].keys],
    )


@key_commands.command("revoke")
def revoke_key_(
    name: Name,
    key_id: Annotated[str, typer.Argument(metavar="KEY_ID", help="As `key list` shows it.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a key useless.

    Example: commonwatt account key revoke meter-box 0a1b2c3d4e5f
    """
    from commonwatt.app.accounts.administer import revoke_key

    with opened_accounts(data, database_url) as accounts:
        revoke_key(accounts, name, key_id, at=now_at(), by=BY_COMMAND_LINE)
    typer.echo(f"key {key_id} of account {name} is revoked")


def _password(from_stdin: bool) -> str | None:
    """Return the password that is given, None where one is to be made up."""
    if from_stdin:
        return sys.stdin.read().rstrip("\r\n")
    if not sys.stdin.isatty():
        return None
    typed: str = typer.prompt(
        "Password (empty: make one up)",
        default="",
        hide_input=True,
        show_default=False,
        confirmation_prompt=True,
        err=True,
    )
    return typed or None
