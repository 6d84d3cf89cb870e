"""The record of who did what, which nothing takes back."""

from sqlalchemy import Connection, insert, select

from commonwatt.adapters.store.schema import audit
from commonwatt.app.ports import AuditLine


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


def read_audit(connection: Connection, start_at: int, end_at: int) -> list[AuditLine]:
    """Return what was recorded in [start, end) [Unix seconds], in the order it was done."""
    statement = (
        select(audit).where(audit.c.at >= start_at, audit.c.at < end_at).order_by(audit.c.id)
    )
    return [
        AuditLine(
            at=row.at,
            account=row.account,
            site=row.site,
            action=row.action,
            subject=row.subject,
            reason=row.reason,
        )
        for row in connection.execute(statement)
    ]
