"""``commonwatt login``."""

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.client.connection import (
    Quiet,
    Url,
    Username,
    Verbose,
    listen,
    told_as_usage,
    typed_password,
)
from commonwatt.cli.faults import Failed

if TYPE_CHECKING:
    from commonwatt.client.credentials import Credentials

_INSTEAD = "set CLIMKIT_USERNAME and CLIMKIT_PASSWORD instead"


def login(
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input.")
    ] = False,
    url: Url = None,
    username: Username = None,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> None:
    """Try a user name and password, and keep them in the keyring of the operating system.

    The other commands that ask a Climkit server take them from there. The password is typed, or
    read from standard input; it is no option, so that no shell history and no list of processes
    shows it.

    Example: commonwatt login --url http://127.0.0.1:8000 --username anna
    """
    from commonwatt.client import Climkit, SignInRefused
    from commonwatt.client.credentials import Credentials, find_url

    listen(quiet=quiet, verbose=verbose)
    with told_as_usage("--url"):
        address = find_url(url)
    name = username or os.environ.get("CLIMKIT_USERNAME") or _typed_name()
    password = _piped_password() if password_stdin else typed_password(name)
    if not password:
        raise Failed("the password is empty")
    try:
        with Climkit(address, name, password) as climkit:
            sites = climkit.sites()
    except SignInRefused as error:
        raise Failed(f"{address} does not accept {name} with this password: {error}") from error
    if not quiet:
        typer.echo(f"{name} signs in at {address}; sites: {len(sites)}")
    _keep(Credentials(address, name, password))
    if not quiet:
        typer.echo("kept in the keyring")


def _piped_password() -> str:
    try:
        return sys.stdin.read().rstrip("\r\n")
    except UnicodeDecodeError:
        raise Failed("the password on standard input is no UTF-8") from None


def _typed_name() -> str:
    if not sys.stdin.isatty():
        raise Failed("say who signs in: --username NAME")
    typed: str = typer.prompt("User name", err=True)
    return typed


def _keep(credentials: "Credentials") -> None:
    """Keep name and password. Raises Failed where there is no keyring, or none that works."""
    from commonwatt.client.credentials import UNUSABLE, keep_credentials

    if find_spec("keyring") is None:
        raise Failed(
            "not kept, since the package keyring is not installed: "
            f"pip install keyring, or {_INSTEAD}"
        )
    from keyring.errors import KeyringError

    try:
        keep_credentials(credentials)
    except (KeyringError, *UNUSABLE) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise Failed(f"not kept, since the keyring refuses ({reason}): {_INSTEAD}") from error
