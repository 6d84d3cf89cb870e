"""Settings: from the environment (prefix COMMONWATT_), or as given by the command line.

What is given by a command wins over the environment.
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "COMMONWATT_"
LOOPBACK_NAMES = {"localhost"}


def _networks(value: str) -> str:
    for network in value.split(","):
        try:
            ipaddress.ip_network(network.strip())
        except ValueError as error:
            raise ValueError(
                f"{network.strip()!r} is no network: {error}; write 10.0.0.0/8 or 192.0.2.7"
            ) from None
    return value


Networks = Annotated[str, AfterValidator(_networks)]


class Settings(BaseSettings):
    """Everything that can be set from outside."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="forbid")

    data: Path = Field(
        default=Path("commonwatt-data"),
        description="The folder of the embedded store; made where it is missing.",
    )
    database_url: str | None = Field(
        default=None,
        description="The database instead of the folder's own: postgresql://USER@HOST/NAME, "
        "or sqlite:///FILE.",
    )
    host: str = Field(default="127.0.0.1", description="The address to listen on.")
    port: int = Field(default=8000, ge=0, le=65535, description="The port; 0 takes a free one.")
    workers: int = Field(default=1, ge=1, le=256, description="How many processes serve.")
    tls_cert: Path | None = Field(
        default=None, description="Certificate chain (PEM) for TLS; needs the key."
    )
    tls_key: Path | None = Field(default=None, description="Private key (PEM) of the certificate.")
    trusted_proxy: Networks | None = Field(
        default=None,
        description="Networks of proxies, as 10.0.0.0/8,192.0.2.7: only their X-Forwarded-For and "
        "X-Forwarded-Proto are believed.",
    )
    connections: int = Field(
        default=2000,
        ge=10,
        description="How many connections each process holds open at once; fewer where the "
        "limit of open files leaves no room for so many.",
    )
    connections_per_address: int = Field(
        default=200,
        ge=1,
        description="How many of these one address may hold (an IPv6 network /64; proxies that are "
        "trusted are not counted).",
    )
    head_timeout_s: int = Field(
        default=20,
        ge=1,
        description="How long request line and headers may take, from their first byte [s].",
    )
    body_timeout_s: int = Field(
        default=60,
        ge=1,
        description="How long a body may come more slowly than 1 KiB a second [s].",
    )
    idle_timeout_s: int = Field(
        default=30, ge=1, description="How long a connection may wait for its next request [s]."
    )
    write_timeout_s: int = Field(
        default=30,
        ge=1,
        description="How long a client may read an answer more slowly than 1 KiB a second [s].",
    )
    answers_mb: int = Field(
        default=96,
        ge=8,
        description="What long answers that are not yet read may hold of each process's memory "
        "[MB]; one account a third of it.",
    )
    body_limit_mb: int = Field(
        default=10, ge=1, le=1000, description="The largest body of readings, unpacked [MB]."
    )
    postgres_connect_timeout_s: int = Field(
        default=5, ge=2, description="How long connecting to PostgreSQL may take [s]."
    )
    postgres_statement_timeout_s: int = Field(
        default=30, ge=1, description="How long one statement may take in PostgreSQL [s]."
    )
    postgres_lock_timeout_s: int = Field(
        default=5,
        ge=1,
        description="How long PostgreSQL waits for a lock that another holds [s].",
    )
    signing_key: SecretStr | None = Field(
        default=None,
        min_length=32,
        description="What tokens are signed with, at least 32 random characters. By default the "
        "store keeps one that it made on first start.",
    )
    redis_url: str | None = Field(
        default=None,
        description="Where requests are counted, redis://HOST:PORT, by several machines. By "
        "default they are counted in memory, by several processes in a small file, on PostgreSQL "
        "in the database.",
    )

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            missing = "tls_cert" if self.tls_cert is None else "tls_key"
            option = f"--{missing.replace('_', '-')}"
            raise ValueError(
                f"TLS needs both a certificate and its key: {option} ({PREFIX}{missing.upper()}) "
                "is missing"
            )
        return self

    @property
    def is_exposed(self) -> bool:
        """Whether others than this machine may connect, without TLS and without a known proxy."""
        try:
            loopback = ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            loopback = self.host in LOOPBACK_NAMES
        return not (loopback or self.tls_cert or self.trusted_proxy)

    def environment(self) -> dict[str, str]:
        """These settings as environment variables, for the processes that this one starts."""
        values: dict[str, str] = {}
        for name in type(self).model_fields:
            value = getattr(self, name)
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            if value is not None:
                values[PREFIX + name.upper()] = str(value)
        return values
