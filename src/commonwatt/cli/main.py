"""The command ``commonwatt``."""

import codecs
import sys
from typing import Annotated, NoReturn

import typer
from typer.exceptions import TyperException

from commonwatt import __version__
from commonwatt.app.errors import CommonwattError
from commonwatt.cli.accounts.account import account_commands
from commonwatt.cli.accounts.audit import audit
from commonwatt.cli.billing.differences import differences
from commonwatt.cli.billing.lock import lock, locks, unlock
from commonwatt.cli.billing.month import month
from commonwatt.cli.billing.simulate_key import simulate_key
from commonwatt.cli.client.conformance import conformance
from commonwatt.cli.client.export import export
from commonwatt.cli.client.get import get_commands
from commonwatt.cli.client.listing import meters, sensors, sites
from commonwatt.cli.client.login import login
from commonwatt.cli.client.mirror import mirror
from commonwatt.cli.client.watch import watch
from commonwatt.cli.declaring.apply import apply
from commonwatt.cli.declaring.exchange import exchange_commands
from commonwatt.cli.declaring.site import show, site_commands
from commonwatt.cli.faults import fault_lines, user_errors
from commonwatt.cli.findings.explain import explain
from commonwatt.cli.findings.findings import findings, resolve
from commonwatt.cli.findings.worklist import worklist
from commonwatt.cli.operation.demo import demo
from commonwatt.cli.operation.serve import serve
from commonwatt.cli.operation.settle import settle
from commonwatt.cli.operation.status import status
from commonwatt.cli.operation.verify import verify
from commonwatt.cli.output import printable
from commonwatt.cli.readings.delivery import delivery_commands
from commonwatt.cli.readings.edit import accept, edit_commands
from commonwatt.cli.readings.import_file import import_files

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
        text = error.format_message().replace("Value error, ", "")
        _end(error.exit_code, " ".join(text.split()))
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
        code = error.exit_code if isinstance(error, CommonwattError) else _FAILED
        _end(code, *fault_lines(error))
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
