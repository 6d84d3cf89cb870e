"""The record of who did what, which nothing takes back."""

from sqlalchemy import Connection, insert

from commonwatt.adapters.store.schema import audit


def write_audit(
    connection: Connection,
    at: int,
    account: str,
    site: int | None,
    action: str,
    subject: str,
    reason: str,
) -> None:
    """Record who did what, why, and at which Unix second; ``site`` is None for all of them."""
    row = {
        "at": at,
        "account": account,
        "site": site,
        "action": action,
        "subject": subject,
        "reason": reason,
    }
    connection.execute(insert(audit), row)
