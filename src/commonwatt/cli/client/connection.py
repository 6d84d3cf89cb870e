"""What the commands share that ask a Climkit server: their options, and who signs in where."""

import logging
import math
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.faults import Failed
from commonwatt.cli.output import printable

if TYPE_CHECKING:
    from commonwatt.client import Climkit
    from commonwatt.client.credentials import Credentials
    from commonwatt.client.series.series_calls import OnPart

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="Base address of the API.",
        show_default="CLIMKIT_URL, else the published one",
        rich_help_panel="Server",
    ),
]
Username = Annotated[
    str | None,
    typer.Option(
        "--username",
        metavar="NAME",
        help="Who asks.",
        show_default="CLIMKIT_USERNAME, else the keyring",
        rich_help_panel="Server",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but results and errors.")]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", help="Show each request on standard error.")
]

Fast = Annotated[
    bool, typer.Option("--fast", help="Own server, account without limits: do not wait.")
]
_PUBLISHED_PACE = 1.0


@contextmanager
def opened_client(
    url: str | None,
    username: str | None,
    *,
    quiet: bool,
    verbose: bool,
    fast: bool = False,
    on_part: "OnPart | None" = None,
) -> Iterator["Climkit"]:
    """Give a client of the server that is meant, and close it afterwards.

    The password comes from the environment or the keyring; on a terminal it is asked for otherwise.
    `fast`: no pause between requests. `on_part`: told how much of a long series has come.
    """
    from commonwatt.client import Climkit

    listen(quiet=quiet, verbose=verbose)
    who = who_asks(url, username)
    pace = math.inf if fast else _PUBLISHED_PACE
    with Climkit(
        who.url, who.username, who.password, requests_per_second=pace, on_part=on_part
    ) as climkit:
        yield climkit


def listen(*, quiet: bool, verbose: bool) -> None:
    """Say on stderr what is tried again, if not quiet; each request, if verbose."""
    if quiet and verbose:
        raise typer.BadParameter("give either --quiet or --verbose")
    tried_again = logging.getLogger("commonwatt.client")
    tried_again.addHandler(logging.NullHandler() if quiet else _Told())
    tried_again.propagate = False
    if verbose:
        # Method, address and status; never a body, which of a sign-in is the password.
        requests = logging.getLogger("httpx2")
        requests.addHandler(logging.StreamHandler())
        requests.setLevel(logging.INFO)


class _Told(logging.Handler):
    """Prints what is logged on stderr, as a terminal may have it."""

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line."""
        typer.echo(printable(record.getMessage()), err=True)


@contextmanager
def told_as_usage(option: str | None = None) -> Iterator[None]:
    """Report arguments that the client refuses as wrong usage."""
    try:
        yield
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def who_asks(url: str | None, username: str | None) -> "Credentials":
    """Return where to ask and as whom; on a terminal the password is asked for if need be.

    Raises NoCredentials where nothing names it, and BadParameter for an address that is none.
    """
    from commonwatt.client.credentials import find_credentials
    from commonwatt.client.errors import NoCredentials

    username = username or os.environ.get("CLIMKIT_USERNAME")
    with told_as_usage("--url"):
        try:
            return find_credentials(url, username)
        except NoCredentials:
            if username is None or not sys.stdin.isatty():
                raise
        return find_credentials(url, username, typed_password(username))


def typed_password(username: str) -> str:
    """Ask for a password on the terminal. Raises Failed if there is none."""
    if not sys.stdin.isatty():
        raise Failed("there is no terminal to type a password on: use --password-stdin")
    typed: str = typer.prompt(f"Password of {username}", hide_input=True, err=True)
    return typed
