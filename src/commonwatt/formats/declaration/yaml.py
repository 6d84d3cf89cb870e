"""A declaration of a site in YAML to typed values; everything that is wrong is told at once."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from difflib import get_close_matches

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from commonwatt.app.declaring.declaration import (
    DeclarationFault,
    InvalidDeclaration,
    SiteDeclaration,
)
from commonwatt.formats.declaration.document import Document, Path, key_name, read_document
from commonwatt.formats.declaration.shapes import SHAPES, File, Shape, keys_of
from commonwatt.formats.declaration.values import Surroundings, read_timezone
from commonwatt.formats.errors import BadValue


def declaration_from_yaml(text: bytes) -> SiteDeclaration:
    """Return what a YAML text declares. Raises `InvalidDeclaration` with every fault found.

    A date of ``installed_at``, ``removed_at`` or ``valid_from`` is the first instant of that day in
    the site's zone; a naive time is one on the site's clock.

    >>> site = declaration_from_yaml(b"site: {site_ref: A, name: B, timezone: UTC, latitude: 46.5}")
    >>> site.latitude, site.longitude
    (46.5, <NotSaid.NOT_SAID: 'not said'>)
    """
    document = read_document(text)
    faults = [*document.faults, *_unknown_site(document)]
    for key, ways in (("meters", _ways_to_know_a_meter), ("sensors", _ways_to_know_a_sensor)):
        faults += _said_twice(document, key, ways)
    try:
        file = File.model_validate(document.content, context=Surroundings(_zone(document.content)))
    except ValidationError as error:
        found = [_fault(document, each) for each in error.errors(include_url=False)]
        raise InvalidDeclaration([*found, *faults]) from error
    if faults:
        raise InvalidDeclaration(faults)
    return file.declaration(document.value_lines)


def _zone(content: object) -> str:
    """The site's zone, by which instants are read; UTC where it is wrong or missing."""
    site = content.get("site") if isinstance(content, dict) else None
    try:
        return read_timezone(site.get("timezone") if isinstance(site, dict) else None)
    except BadValue:
        return "UTC"


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
    return str(error["ctx"]["error"])


def _unknown_site(document: Document) -> Iterator[DeclarationFault]:
    """Tell of a site that nothing is known by."""
    site = document.content.get("site") if isinstance(document.content, dict) else None
    if isinstance(site, dict) and not site.keys() & {"id", "site_ref"}:
        reason = "has neither id nor site_ref; give one to know it by"
        yield DeclarationFault(document.value_lines["site",], "site", reason)


Said = Mapping[str, object]


def _ways_to_know_a_meter(meter: Said) -> Iterator[tuple[str, Hashable]]:
    """Yield the ways in which a meter is known: by each that is named, else by its name."""
    if "id" in meter:
        yield "id", str(meter["id"])
    if "prim_ad" in meter:
        yield "prim_ad", (str(meter.get("type")), str(meter["prim_ad"]))
    if not meter.keys() & {"id", "prim_ad"} and "name" in meter:
        yield "name", str(meter["name"]).strip()


def _ways_to_know_a_sensor(sensor: Said) -> Iterator[tuple[str, Hashable]]:
    for key in ("id", "name"):
        if key in sensor:
            yield key, str(sensor[key]).strip()
            return


def _said_twice(
    document: Document, key: str, ways: Callable[[Said], Iterator[tuple[str, Hashable]]]
) -> Iterator[DeclarationFault]:
    """Tell of what is known in the same way as another before it."""
    rows = document.content.get(key) if isinstance(document.content, dict) else None
    first_lines: dict[tuple[str, Hashable], int] = {}
    for at, row in enumerate(rows if isinstance(rows, list) else ()):
        line = document.value_lines[key, at]
        for way in ways(row) if isinstance(row, dict) else ():
            if way in first_lines:
                reason = f"is already that of another, on line {first_lines[way]}"
                yield DeclarationFault(line, way[0], reason)
            first_lines.setdefault(way, line)
