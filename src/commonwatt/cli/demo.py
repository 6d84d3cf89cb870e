"""``commonwatt demo``."""

from typing import Annotated

import typer

from commonwatt.cli.serve import end_on_sigterm
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
    from commonwatt.demo.run import run_demo

    run_demo(store_settings(data, database_url, port=port), typer.echo)
