"""``commonwatt apply``."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.faults import Failed
from commonwatt.cli.stores import BY_COMMAND_LINE, Data, DatabaseUrl, opened_store, patiently

if TYPE_CHECKING:
    from commonwatt.app.declaration import SiteDeclaration


def apply(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Declarations in YAML.")],
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Create or update the sites, meters and sensors that files declare.

    Prints what changed. Applied twice, nothing changes the second time; nothing is deleted by
    omission. A change of what results depend on acts from now, unless valid_from says from when.

    Example: commonwatt apply house.yaml
    """
    from commonwatt.app.apply_declaration import apply_declaration
    from commonwatt.app.declaration import InvalidDeclaration

    declarations = _read(files)
    with opened_store(data, database_url, create=True) as store:
        for file, declaration in zip(files, declarations, strict=True):
            now_at = int(time.time())
            try:
                lines = patiently(
                    lambda declared=declaration, at=now_at: apply_declaration(  # type: ignore[misc]
                        store, declared, BY_COMMAND_LINE, at
                    )
                )
            except InvalidDeclaration as error:
                raise Failed(*(f"{file}: {fault}" for fault in error.faults)) from error
            for line in lines or [f"{file}: nothing to change"]:
                typer.echo(line)


def _read(files: list[Path]) -> "list[SiteDeclaration]":
    """Read all files before any is applied. Raises Failed with the faults of all."""
    from commonwatt.app.declaration import InvalidDeclaration
    from commonwatt.formats.declaration_yaml import declaration_from_yaml

    declarations: list[SiteDeclaration] = []
    faults: list[str] = []
    for file in files:
        try:
            declarations.append(declaration_from_yaml(file.read_bytes()))
        except InvalidDeclaration as error:
            faults += [f"{file}: {fault}" for fault in error.faults]
    if faults:
        raise Failed(*faults)
    return declarations
