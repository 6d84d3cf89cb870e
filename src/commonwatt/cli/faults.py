"""What users can do wrong, told in one line each and without a trace."""


class Failed(Exception):
    """A command cannot do what it was asked for; ``lines`` say why and what would be right."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


def user_errors() -> tuple[type[Exception], ...]:
    """Return the errors that are the user's or the machine's, and no fault of the program."""
    from commonwatt.app.accounts import AccountProblem
    from commonwatt.app.change_meter import CannotChange, NoSuchMeter
    from commonwatt.app.declaration import InvalidDeclaration
    from commonwatt.app.edit_quarters import UnknownEdit
    from commonwatt.app.read_delivery import UnknownDelivery
    from commonwatt.app.resolve_finding import UnknownFinding
    from commonwatt.app.simulate_key import KeyLacksTerms
    from commonwatt.app.store_errors import StoreError
    from commonwatt.app.withdraw_delivery import NothingToChange
    from commonwatt.demo.faults import CannotRunDemo
    from commonwatt.demo.state import UnreadableDemoState
    from commonwatt.formats.errors import BadValue, BodyTooLarge, UnreadableBody

    return (
        *(Failed, OSError, AccountProblem, InvalidDeclaration, StoreError),
        *(NothingToChange, UnknownDelivery, CannotRunDemo, UnreadableDemoState),
        *(CannotChange, KeyLacksTerms, NoSuchMeter, UnknownEdit, UnknownFinding),
        *(BadValue, BodyTooLarge, UnreadableBody),
    )


def fault_lines(error: Exception) -> list[str]:
    """Return what to tell of an error, in lines that stand for themselves."""
    if isinstance(error, Failed):
        return list(error.lines)
    if isinstance(error, OSError) and error.strerror:
        return [f"{error.filename}: {error.strerror}" if error.filename else error.strerror]
    return [" ".join(str(error).split())]
