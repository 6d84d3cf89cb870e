"""``commonwatt demo``."""

from pathlib import Path
from typing import Annotated

import typer

from commonwatt.adapters.ending import end_on_sigterm
from commonwatt.adapters.log_lines import log_to_stderr
from commonwatt.cli.operation.serve import exit_as_promised
from commonwatt.cli.output import progress_bar
from commonwatt.cli.stores import DatabaseUrl, store_settings

_FOLDER = Path("commonwatt-demo")
"""Apart from other stores: the demo fills an empty one."""

DemoData = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="Folder of the demo's store.",
        show_default=f"./{_FOLDER}",
        rich_help_panel="Store",
    ),
]


def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")
    ] = 8000,
    frozen: Annotated[
        bool,
        typer.Option(
            "--frozen",
            help="Two weeks of 2024 that are always the same, for tests of clients; "
            "in a temporary folder of its own.",
        ),
    ] = False,
    data: DemoData = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Serve a seeded building with 13 months of readings, and live ones coming in.

    Prints an address, an account and curl lines to paste. Loopback only. A second start goes on
    from where the first ended. It has a folder of its own, whatever the environment names.

    Examples: commonwatt demo --data demo-data; commonwatt demo --frozen --port 0
    """
    if frozen and (data is not None or database_url is not None):
        raise typer.BadParameter(
            "--frozen has a temporary folder of its own: leave --data and --database-url out, "
            "its password is known to everybody"
        )
    log_to_stderr()
    end_on_sigterm()
    if frozen:
        _serve_frozen(port)
    else:
        _serve_live(port, data, database_url)


def _serve_frozen(port: int) -> None:
    from commonwatt.demo.frozen.frozen import frozen_banner, serve_frozen

    with exit_as_promised():
        serve_frozen(port, lambda address: typer.echo(frozen_banner(address)))


def _serve_live(port: int, data: Path | None, database_url: str | None) -> None:
    from commonwatt.demo.run import prepare_demo, serve_demo

    # A database that only the environment names is not the demo's to fill; one that is given is.
    settings = store_settings(data or _FOLDER, database_url, port=port)
    with progress_bar() as progress:
        task = progress.add_task("setting up 13 months of readings", visible=False)

        def prepared(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=True)

        state = prepare_demo(settings, prepared)
    with exit_as_promised():
        serve_demo(settings, state, typer.echo)
