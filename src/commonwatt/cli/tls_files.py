"""Certificate and key that cannot be used, told before a server starts."""

import ssl
from typing import TYPE_CHECKING

import typer

from commonwatt.cli.faults import Failed

if TYPE_CHECKING:
    from commonwatt.settings import Settings


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
