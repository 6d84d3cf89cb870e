"""What users can do wrong, told in one line each and without a trace."""

import sys


class Failed(Exception):
    """A command cannot do what it was asked for; ``lines`` say why and what would be right."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


# By module, so that telling an error imports nothing: what is not imported has raised nothing.
_USER_ERRORS = {
    "commonwatt.app.accounts.accounts": ("AccountProblem",),
    "commonwatt.app.declaring.apply": ("CannotChange", "NoSuchMeter"),
    "commonwatt.app.declaring.declaration": ("InvalidDeclaration",),
    "commonwatt.app.billing.edit_quarters": ("UnknownEdit",),
    "commonwatt.app.findings.resolve": ("UnknownFinding",),
    "commonwatt.app.billing.simulate_key": ("KeyLacksTerms",),
    "commonwatt.app.errors": ("StoreError",),
    "commonwatt.app.readings.deliveries": ("NothingToChange", "UnknownDelivery"),
    "commonwatt.client.errors": ("ClimkitError",),
    "commonwatt.client.series.frames": ("MissingLibrary",),
    "commonwatt.demo.state": ("CannotRunDemo", "UnreadableDemoState"),
    "commonwatt.export.errors": ("CannotExport",),
    "commonwatt.formats.errors": ("BadValue", "BodyTooLarge", "UnreadableBody"),
}


def user_errors() -> tuple[type[Exception], ...]:
    """Return the errors that are the user's or the machine's, and no fault of the program."""
    imported = [
        getattr(sys.modules[module], name)
        for module, names in _USER_ERRORS.items()
        if module in sys.modules
        for name in names
    ]
    return (Failed, OSError, *imported)


def fault_lines(error: Exception) -> list[str]:
    """Return what to tell of an error, in lines that stand for themselves."""
    if isinstance(error, Failed):
        return list(error.lines)
    if isinstance(error, OSError) and error.strerror:
        return [f"{error.filename}: {error.strerror}" if error.filename else error.strerror]
    return [" ".join(str(error).split())]
