"""``commonwatt serve``."""

import ssl
from typing import TYPE_CHECKING

import typer

from commonwatt.cli.faults import Failed

if TYPE_CHECKING:
    from commonwatt.settings import Settings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from commonwatt.adapters.ending import end_on_sigterm
from commonwatt.adapters.log_lines import log_to_stderr
from commonwatt.cli.stores import Data, DatabaseUrl, store_settings


def require_tls_files(settings: "Settings") -> None:
    """Try the certificate and the key of the settings, if there are any.

    Raises typer.BadParameter for a file that cannot be read, Failed for what is no certificate and
    its key.
    """
    if settings.tls_cert is None or settings.tls_key is None:
        return
    for file, option in ((settings.tls_cert, "--tls-cert"), (settings.tls_key, "--tls-key")):
        try:
            file.open("rb").close()
        except OSError as error:
            raise typer.BadParameter(f"{file}: {error.strerror}", param_hint=option) from error
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        # An empty password: one that is asked for would hold a service up.
        context.load_cert_chain(settings.tls_cert, settings.tls_key, password="")
    except (ssl.SSLError, ValueError) as error:
        raise Failed(
            f"{settings.tls_cert} and {settings.tls_key} are no certificate chain with its key, "
            f"without a password, in PEM: {error}"
        ) from error


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
        typer.Option(metavar="CIDR", help="Networks of proxies whose X-Forwarded-For is trusted."),
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
