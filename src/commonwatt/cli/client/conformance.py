"""``commonwatt conformance``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.exceptions import TyperException

from commonwatt.cli.client.connection import Fast, Url, Username, who_asks

if TYPE_CHECKING:
    from commonwatt.client.credentials import Credentials
    from commonwatt.conformance.check import Check
    from commonwatt.conformance.run import Report

_FAILED = 1
_WRONG = 2
_STDOUT = Path("-")


class CannotStart(TyperException):
    """The kit cannot talk to the server, or not as this account."""

    exit_code = _WRONG


def conformance(
    url: Url = None,
    username: Username = None,
    site: Annotated[
        str | None,
        typer.Option(metavar="ID", help="The site to look at.", show_default="first with meters"),
    ] = None,
    foreign_site: Annotated[
        str | None,
        typer.Option(metavar="ID", help="A site that exists and that the account may not see."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="ID", help="Checks whose ids begin so; may be repeated."),
    ] = None,
    fast: Fast = False,
    accept_habits: Annotated[
        bool,
        typer.Option("--accept-habits", help="Known habits of the live service do not fail."),
    ] = False,
    wait_for_expiry: Annotated[
        bool, typer.Option("--wait-for-expiry", help="Wait 15 minutes until the token has ended.")
    ] = False,
    json_file: Annotated[
        Path | None,
        typer.Option("--json", metavar="FILE", help="Write the report as JSON; - for stdout."),
    ] = None,
    junit_file: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write the report as JUnit XML.")
    ] = None,
) -> None:
    """Check any server of the Climkit Developer API v1, clause by clause.

    Reads only, one request a second per route. The password comes from CLIMKIT_PASSWORD, the
    keyring or a prompt. Exit 0: nothing failed; 1: a check failed; 2: wrong usage, or no server.

    Example: commonwatt conformance --url http://127.0.0.1:8000 --username anna --fast
    """
    from commonwatt.client.credentials import PUBLISHED_URL
    from commonwatt.conformance.asking.session import SignInRefused, Unreachable
    from commonwatt.conformance.reports import line_of, summary_of
    from commonwatt.conformance.run import Target, run_kit
    from commonwatt.conformance.samples.evidence import Scope

    checks = _chosen(only or [])
    if junit_file == _STDOUT:
        raise typer.BadParameter("only --json can go to stdout", param_hint="--junit")
    for file in (json_file, junit_file):
        _require_folder(file)
    account = _account(url, username)
    scope = Scope(site, foreign_site, fast=fast, wait_for_expiry=wait_for_expiry)
    to_stderr = json_file == _STDOUT
    try:
        report = run_kit(
            Target(account.url, account.username, account.password),
            scope,
            checks,
            accept_habits=accept_habits or account.url == PUBLISHED_URL,
            done=lambda verdict: typer.echo(line_of(verdict), err=to_stderr),
        )
    except Unreachable as error:
        raise CannotStart(str(error)) from error
    except SignInRefused as error:
        raise CannotStart(f"the sign-in of {account.username} was refused: {error}") from error
    typer.echo(summary_of(report), err=to_stderr)
    _write(report, json_file, junit_file)
    if not report.all_held:
        raise typer.Exit(_FAILED)


def _chosen(only: list[str]) -> "list[Check]":
    from commonwatt.conformance.run import chosen_checks

    for word in only:
        if not chosen_checks([word]):
            raise typer.BadParameter(f"no check's id begins with {word!r}", param_hint="--only")
    return chosen_checks(only)


def _require_folder(file: Path | None) -> None:
    """Say before the run, not after it, that a report cannot be written."""
    if file is not None and file != _STDOUT and (not file.parent.is_dir() or file.is_dir()):
        raise typer.BadParameter(f"{file} is no file in a folder that is there")


def _account(url: str | None, username: str | None) -> "Credentials":
    """Where and as whom; without, the kit cannot start."""
    from commonwatt.client.errors import NoCredentials

    try:
        return who_asks(url, username)
    except NoCredentials as error:
        raise CannotStart(str(error)) from error


def _write(report: "Report", json_file: Path | None, junit_file: Path | None) -> None:
    from commonwatt.conformance.reports import as_json, as_junit

    if json_file == _STDOUT:
        typer.echo(as_json(report), nl=False)
    elif json_file is not None:
        json_file.write_text(as_json(report), encoding="utf-8")
    if junit_file is not None:
        junit_file.write_text(as_junit(report), encoding="utf-8")
