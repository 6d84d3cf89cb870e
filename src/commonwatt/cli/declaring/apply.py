"""``commonwatt apply``."""

import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from commonwatt.cli.faults import Failed
from commonwatt.cli.stores import (
    BY_COMMAND_LINE,
    Data,
    DatabaseUrl,
    looked_at_store,
    opened_store,
    retry_while_busy,
)

if TYPE_CHECKING:
    from commonwatt.app.declaring.apply import Applied
    from commonwatt.app.declaring.declaration import SiteDeclaration
    from commonwatt.app.ports import Store


def apply(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="Declarations in YAML.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
    data: Data = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Create or update the sites, meters and sensors that files declare.

    Prints what changed, and which days are computed anew because of it. Applied twice, nothing
    changes the second time; nothing is deleted by omission. A change of what results depend on acts
    from now, unless valid_from says from when.

    Example: commonwatt apply house.yaml
    """
    from commonwatt.app.declaring.declaration import InvalidDeclaration

    declarations = _read(files)
    opened = looked_at_store if dry_run else partial(opened_store, create=True)
    with opened(data, database_url) as store:
        for file, declaration in zip(files, declarations, strict=True):
            try:
                applied = retry_while_busy(partial(_apply, store, declaration, dry_run))
            except InvalidDeclaration as error:
                raise Failed(*(f"{file}: {fault}" for fault in error.faults)) from error
            if not applied.lines:
                typer.echo(f"{file}: nothing to change")
            for line in applied.report:
                typer.echo(line)


def _apply(store: "Store", declaration: "SiteDeclaration", dry_run: bool) -> "Applied":
    from commonwatt.app.declaring.apply import apply_declaration, try_declaration

    now_at = int(time.time())
    if dry_run:
        return try_declaration(store, declaration, now_at)
    return apply_declaration(store, declaration, BY_COMMAND_LINE, now_at)


def _read(files: list[Path]) -> "list[SiteDeclaration]":
    """Read all files before any is applied. Raises Failed with the faults of all."""
    from commonwatt.app.declaring.declaration import InvalidDeclaration
    from commonwatt.formats.declaration.yaml import declaration_from_yaml

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
