"""A declaration of a site in YAML to typed values; everything that is wrong is told at once."""

import re
from collections.abc import Hashable, Iterable, Iterator, Mapping
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from commonwatt.app.declaring.declaration import (
    DeclarationFault,
    InvalidDeclaration,
    SiteDeclaration,
)
from commonwatt.domain.metering.catalogue import Medium
from commonwatt.formats.declaration.document import Document, Path, key_name, read_document
from commonwatt.formats.declaration.shapes import SHAPES, File, Shape, keys_of
from commonwatt.formats.declaration.values import Context, must_be


def declaration_from_yaml(text: bytes) -> SiteDeclaration:
    """Return what a YAML text declares. Raises `InvalidDeclaration` with every fault found.

    A date of ``installed_at``, ``removed_at`` or ``valid_from`` is the first instant of that day in
    the site's zone; a naive time is one on the site's clock.

    >>> site = declaration_from_yaml(b"site: {site_ref: A, name: B, timezone: UTC, latitude: 46.5}")
    >>> site.latitude, site.longitude
    (46.5, <NotSaid.NOT_SAID: 'not said'>)
    """
    document, context = read_document(text), Context()
    faults, file = [*document.faults, *_unknown_site(document)], None
    try:
        file = File.model_validate(document.content, context=context)
    except ValidationError as error:
        faults += [_fault(document, each) for each in error.errors(include_url=False)]
    for key, rows in context.rows.items():
        faults += _said_twice(document, key, rows)
    if file is None or faults:
        raise InvalidDeclaration(faults)
    return file.declaration(document.value_lines)


def _fault(document: Document, error: ErrorDetails) -> DeclarationFault:
    """Tell what is wrong on the line of its key, or of the mapping that it stands in."""
    path: Path = error["loc"]
    above = path[:-1]
    if error["type"] == "missing":
        name, _ = _shape_at(above)
        needs = f"every {name} needs it" if above else "say which site this is"
        return DeclarationFault(document.value_lines[above], str(path[-1]), f"is missing; {needs}")
    if error["type"] == "extra_forbidden":
        key = str(path[-1])
        return DeclarationFault(document.key_lines[path], key_name(key), _unknown_key(key, above))
    if error["type"] == "model_type":
        name, shape = _shape_at(path)
        line = document.key_lines.get(path, document.value_lines[path])
        return DeclarationFault(line, name, f"must be a mapping of {', '.join(keys_of(shape))}")
    return DeclarationFault(document.key_lines[path], str(path[-1]), _what_is_right(error))


def _shape_at(path: Path) -> tuple[str, type[Shape]]:
    return SHAPES[tuple(part for part in path if isinstance(part, str))]


def _unknown_key(key: str, above: Path) -> str:
    name, shape = _shape_at(above)
    near = get_close_matches(key[:40], keys_of(shape), 1)
    right = f"did you mean {near[0]}?" if near else f"known are {', '.join(keys_of(shape))}"
    return f"unknown key of {name}; {right}"


def _what_is_right(error: ErrorDetails) -> str:
    if error["type"] == "list_type":
        name, _ = _shape_at(error["loc"])
        return f"must be a list; begin each {name} with a dash"
    if error["type"] == "enum":
        words = re.findall(r"'(\w+)'", error["ctx"]["expected"])
        return str(must_be(f"one of {', '.join(words)}", error["input"]))
    return str(error["ctx"]["error"])


def _unknown_site(document: Document) -> Iterator[DeclarationFault]:
    """Tell of a site that nothing is known by."""
    site = document.content.get("site") if isinstance(document.content, dict) else None
    if isinstance(site, dict) and not site.keys() & {"id", "site_ref"}:
        reason = "has neither id nor site_ref; give one to know it by"
        yield DeclarationFault(document.value_lines["site",], "site", reason)


def _said_twice(
    document: Document, key: str, rows: Iterable[Mapping[str, Hashable]]
) -> Iterator[DeclarationFault]:
    """Tell of what is known in the same way as another before it."""
    first_lines: dict[tuple[str, Hashable], int] = {}
    for at, row in enumerate(rows):
        line = document.value_lines[key, at]
        for way in _ways_to_know(row):
            if way in first_lines:
                reason = f"is already that of another, on line {first_lines[way]}"
                yield DeclarationFault(line, way[0], reason)
            first_lines.setdefault(way, line)


def _ways_to_know(row: Mapping[str, Hashable]) -> list[tuple[str, Hashable]]:
    """How a meter or a sensor is known: by id, and by type and prim_ad, or else by its name."""
    ways: list[tuple[str, Hashable]] = [("id", row["id"])] if "id" in row else []
    if "prim_ad" in row:
        ways.append(("prim_ad", (row.get("medium", Medium.ELECTRICITY), row["prim_ad"])))
    if not ways and "name" in row:
        ways.append(("name", row["name"]))
    return ways
