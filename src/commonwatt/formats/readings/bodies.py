"""HTTP bodies of readings by their content type."""

from collections.abc import Mapping
from typing import Protocol

from commonwatt.app.errors import CommonwattError, ErrorKind
from commonwatt.domain.metering.readings import ReadingQuality, ReadingRows, SensorRows
from commonwatt.formats.readings.csv import readings_from_csv_body, sensor_values_from_csv_body
from commonwatt.formats.readings.json import (
    readings_from_json,
    readings_from_ndjson,
    sensor_values_from_json,
    sensor_values_from_ndjson,
)


class UnknownContentType(CommonwattError):
    """A content type that is none of `CONTENT_TYPES`; the message lists them."""

    kind = ErrorKind("wrong-content-type", 415, "The body is of a kind that is not read here")

    def __init__(self, content_type: str) -> None:
        self.content_type = content_type
        super().__init__(
            f"{content_type[:60]!r} is not a type of readings; send one of "
            f"{', '.join(CONTENT_TYPES)}"
        )


class _ReadingsFrom(Protocol):
    def __call__(self, body: bytes, quality: ReadingQuality, replaces: bool, /) -> ReadingRows: ...


class _SensorValuesFrom(Protocol):
    def __call__(self, body: bytes, /) -> SensorRows: ...


_PARSERS: Mapping[str, tuple[_ReadingsFrom, _SensorValuesFrom]] = {
    "application/json": (readings_from_json, sensor_values_from_json),
    "application/x-ndjson": (readings_from_ndjson, sensor_values_from_ndjson),
    "application/ndjson": (readings_from_ndjson, sensor_values_from_ndjson),
    "application/jsonl": (readings_from_ndjson, sensor_values_from_ndjson),
    "text/csv": (readings_from_csv_body, sensor_values_from_csv_body),
}
CONTENT_TYPES = tuple(_PARSERS)
"""The content types that bodies of readings and sensor values may have."""


def parse_content_type(header: str | None) -> str:
    """Return the content type that a header names, without its parameters; JSON without a header.

    Raises `UnknownContentType`.

    >>> parse_content_type("Text/CSV; charset=utf-8"), parse_content_type(None)
    ('text/csv', 'application/json')
    """
    essence = (header or "application/json").partition(";")[0].strip().lower()
    if essence not in _PARSERS:
        raise UnknownContentType(essence)
    return essence


def readings_from_body(
    body: bytes,
    content_type: str | None,
    quality: ReadingQuality = ReadingQuality.MEASURED,
    replaces: bool = False,
) -> ReadingRows:
    r"""Return the readings of a body (already unpacked); without a content type it is JSON.

    Parameters of the content type are ignored; text is UTF-8. ``quality`` is that of the rows that
    do not say, and ``replaces`` whether those replace earlier ones. Raises `UnknownContentType` and
    `UnreadableBody`.

    >>> readings_from_body(b"meter,timestamp,en_im\n", "text/csv; charset=utf-8").total
    0
    """
    return _PARSERS[parse_content_type(content_type)][0](body, quality, replaces)


def sensor_values_from_body(body: bytes, content_type: str | None) -> SensorRows:
    """Return the sensor values of a body; see `readings_from_body`."""
    return _PARSERS[parse_content_type(content_type)][1](body)
