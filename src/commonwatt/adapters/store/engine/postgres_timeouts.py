"""How long PostgreSQL is waited for: what hangs there must not hang here."""

from dataclasses import dataclass

from commonwatt.adapters.store.engine.database import store_address


@dataclass(frozen=True, slots=True, kw_only=True)
class PostgresTimeouts:
    """Seconds for a connection, a statement, and a lock that another holds."""

    connect_s: int = 5
    statement_s: int = 30
    lock_s: int = 5


def with_timeouts(url: str, timeouts: PostgresTimeouts) -> str:
    """Return the address of a store with the timeouts of its connections; else as it is.

    What the address says itself is kept.

    >>> with_timeouts("sqlite:///store.sqlite", PostgresTimeouts())
    'sqlite:///store.sqlite'
    """
    parsed = store_address(url)
    if parsed.get_backend_name() != "postgresql":
        return url
    milliseconds = {"statement_timeout": timeouts.statement_s, "lock_timeout": timeouts.lock_s}
    limits = " ".join(f"-c {name}={seconds * 1000}" for name, seconds in milliseconds.items())
    said = dict(parsed.query)
    query = {
        "connect_timeout": str(max(2, timeouts.connect_s)),  # the library takes no less
        # A machine that is gone says nothing: the system asks for it, and waits so long.
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "3",
        "tcp_user_timeout": str((timeouts.statement_s + timeouts.connect_s) * 1000),
        **said,
        "options": f"{limits} {said.get('options', '')}".strip(),
    }
    return parsed.set(query=query).render_as_string(hide_password=False)
