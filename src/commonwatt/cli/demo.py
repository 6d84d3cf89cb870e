"""``commonwatt demo``."""

from typing import Annotated

import typer

from commonwatt.cli.output import progress_bar
from commonwatt.cli.serve import end_on_sigterm, exit_as_promised
from commonwatt.cli.stores import Data, DatabaseUrl, store_settings


def demo(
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")
    ] = 8000,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Serve a seeded building with 13 months of readings, and live ones coming in.

    Prints an address, an account and curl lines to paste. Loopback only. A second start goes on
    from where the first ended.

    Example: commonwatt demo --data demo-data
    """
    end_on_sigterm()
    from commonwatt.demo.run import prepare_demo, serve_demo

    settings = store_settings(data, database_url, port=port)
    with progress_bar() as progress:
        task = progress.add_task("setting up 13 months of readings", visible=False)

        def prepared(done: int, total: int) -> None:
            progress.update(task, completed=done, total=total, visible=True)

        state = prepare_demo(settings, prepared)
    with exit_as_promised():
        serve_demo(settings, state, typer.echo)
