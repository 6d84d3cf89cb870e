"""The command ``commonwatt``."""

import codecs
import sys
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from commonwatt import __version__
from commonwatt.cli.account import account_commands
from commonwatt.cli.apply import apply
from commonwatt.cli.audit import audit
from commonwatt.cli.conformance import conformance
from commonwatt.cli.delivery import delivery_commands
from commonwatt.cli.demo import demo
from commonwatt.cli.differences import differences
from commonwatt.cli.edit import accept, edit_commands
from commonwatt.cli.exchange import exchange_commands
from commonwatt.cli.explain import explain
from commonwatt.cli.export import export
from commonwatt.cli.faults import fault_lines, user_errors
from commonwatt.cli.findings import findings, resolve
from commonwatt.cli.get import get_commands
from commonwatt.cli.import_file import import_files
from commonwatt.cli.listing import meters, sensors, sites
from commonwatt.cli.lock import lock, locks, unlock
from commonwatt.cli.login import login
from commonwatt.cli.mirror import mirror
from commonwatt.cli.month import month
from commonwatt.cli.output import printable
from commonwatt.cli.serve import serve
from commonwatt.cli.settle import settle
from commonwatt.cli.simulate_key import simulate_key
from commonwatt.cli.site import show, site_commands
from commonwatt.cli.status import status
from commonwatt.cli.verify import verify
from commonwatt.cli.watch import watch
from commonwatt.cli.worklist import worklist

_OWN = "A server of your own"
_ANY = "A Climkit server: the vendor's or your own"
_FAILED = 1
_INTERRUPTED = 130

app = typer.Typer(
    name="commonwatt",
    help="Metering data for buildings and energy communities, served as the Climkit Developer API.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Paragraphs of a docstring flow anew to the width of the terminal.
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(rich_help_panel=_OWN)(demo)
app.command(rich_help_panel=_OWN)(serve)
app.command(rich_help_panel=_OWN)(apply)
app.command("import", rich_help_panel=_OWN)(import_files)
app.command(rich_help_panel=_OWN)(show)
app.add_typer(exchange_commands, name="exchange", rich_help_panel=_OWN)
app.command(rich_help_panel=_OWN)(findings)
app.command(rich_help_panel=_OWN)(resolve)
app.command(rich_help_panel=_OWN)(explain)
app.command(rich_help_panel=_OWN)(worklist)
app.command(rich_help_panel=_OWN)(accept)
app.command(rich_help_panel=_OWN)(status)
app.command(rich_help_panel=_OWN)(settle)
app.command(rich_help_panel=_OWN)(verify)
app.command(rich_help_panel=_OWN)(lock)
app.command(rich_help_panel=_OWN)(locks)
app.command(rich_help_panel=_OWN)(unlock)
app.command(rich_help_panel=_OWN)(differences)
app.command(rich_help_panel=_OWN)(month)
app.command("simulate-key", rich_help_panel=_OWN)(simulate_key)
app.add_typer(account_commands, name="account", rich_help_panel=_OWN)
app.add_typer(delivery_commands, name="delivery", rich_help_panel=_OWN)
app.command(rich_help_panel=_OWN)(audit)
app.add_typer(site_commands, name="site", rich_help_panel=_OWN)
app.add_typer(edit_commands, name="edit", rich_help_panel=_OWN)
app.command(rich_help_panel=_ANY)(login)
app.command(rich_help_panel=_ANY)(sites)
app.command(rich_help_panel=_ANY)(meters)
app.command(rich_help_panel=_ANY)(sensors)
app.command(rich_help_panel=_ANY)(watch)
app.command(rich_help_panel=_ANY)(export)
app.command(rich_help_panel=_ANY)(mirror)
app.command(rich_help_panel=_ANY)(conformance)
app.add_typer(get_commands, name="get", rich_help_panel=_ANY)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"commonwatt {__version__}")
        raise typer.Exit


@app.callback()
def _top(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """Metering data for buildings and energy communities, served as the Climkit Developer API."""


def main() -> NoReturn:
    """Run the command line and end the process: 0 done, 1 failed, 2 wrong usage, 130 Ctrl-C."""
    try:
        code = app(standalone_mode=False, prog_name="commonwatt")
    except TyperException as error:
        # "Value error" is what the library that checks a choice puts before its message.
        told = error.format_message().replace("Value error, ", "")
        _end(error.exit_code, " ".join(told.split()))
    except ModuleNotFoundError as error:
        if (error.name or "commonwatt").split(".")[0] == "commonwatt":
            raise
        _end(
            _FAILED,
            f"the server is not installed ({error.name} is missing): "
            "pip install '.[server]' in the checkout",
        )
    except typer.Abort:
        _end(_INTERRUPTED, "interrupted")
    except user_errors() as error:
        _end(_FAILED, *fault_lines(error))
    except UnicodeEncodeError as error:
        output = sys.stdout.encoding
        if codecs.lookup(error.encoding) != codecs.lookup(output):
            raise
        _end(_FAILED, f"{output} cannot write all of the answer: set PYTHONIOENCODING=utf-8")
    if code == _INTERRUPTED:
        _end(_INTERRUPTED, "interrupted")
    sys.exit(code if isinstance(code, int) else 0)


def _end(code: int, *lines: str) -> NoReturn:
    for line in lines:
        if line:
            typer.echo(f"commonwatt: {printable(line)}", err=True)
    sys.exit(code)
