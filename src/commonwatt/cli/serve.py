"""``commonwatt serve``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from commonwatt.adapters.ending import end_on_sigterm
from commonwatt.adapters.log_lines import log_to_stderr
from commonwatt.cli.stores import Data, DatabaseUrl, store_settings
from commonwatt.cli.tls_files import require_tls_files


def serve(
    host: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="Address to listen on.", show_default="127.0.0.1"),
    ] = None,
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="Port; 0 takes a free one.", show_default="8000"),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Processes that serve.", show_default="1")
    ] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Certificate chain (PEM) for TLS.")
    ] = None,
    tls_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Private key (PEM) of the certificate.")
    ] = None,
    trusted_proxy: Annotated[
        str | None,
        typer.Option(metavar="CIDR", help="Networks of proxies whose X-Forwarded-For is believed."),
    ] = None,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Serve the API until Ctrl-C or SIGTERM, which end it within 5 seconds.

    Examples: commonwatt serve --data /srv/commonwatt;
    commonwatt serve --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem
    """
    log_to_stderr()
    end_on_sigterm()
    from commonwatt.bootstrap import run_server

    settings = store_settings(
        data,
        database_url,
        host=host,
        port=port,
        workers=workers,
        tls_cert=tls_cert,
        tls_key=tls_key,
        trusted_proxy=trusted_proxy,
    )
    require_tls_files(settings)
    if settings.workers > 1:
        typer.echo(f"serving on {settings.host}:{settings.port}, {settings.workers} processes")
    with exit_as_promised():
        run_server(settings, lambda address: typer.echo(f"serving on {address}"))


@contextmanager
def exit_as_promised() -> Iterator[None]:
    """Let a server that cannot start, and has said why, end like any command that failed."""
    try:
        yield
    except SystemExit as end:
        raise typer.Exit(1 if end.code else 0) from end
