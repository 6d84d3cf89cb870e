"""Ending what is under way in a store: long work is many statements, and each of them looks."""

from sqlalchemy import Connection, Engine, event

from commonwatt.app.errors import StoreStopping

_OPTION = "commonwatt_stop"


class Stop:
    """Whether a store is to do nothing more."""

    def __init__(self) -> None:
        self.requested = False


def look_for_stop(engine: Engine, stop: Stop) -> None:
    """Let every statement of an engine's connections raise StoreStopping once it is requested."""
    engine.update_execution_options(**{_OPTION: stop})

    @event.listens_for(engine, "before_cursor_execute")
    def _look(connection: Connection, *_statement: object) -> None:
        check_stop(connection)


def check_stop(connection: Connection) -> None:
    """Raise StoreStopping where the store is to do nothing more."""
    stop: Stop = connection.get_execution_options()[_OPTION]
    if stop.requested:
        raise StoreStopping
