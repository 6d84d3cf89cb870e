"""Which media type a request takes of those that we can answer, by the q-values of its header."""

from collections.abc import Sequence

from commonwatt.api.http.problems import NotAcceptable

JSON = "application/json"
CSV = "text/csv"
ARROW = "application/vnd.apache.arrow.stream"
PARQUET = "application/vnd.apache.parquet"
OF_TABLES = (JSON, CSV, ARROW, PARQUET)
"""How tables are answered; of what a client likes equally, the first."""


def accepted_type(accept: str, offered: Sequence[str]) -> str:
    """Return the offered type that an Accept header likes best. Raises NotAcceptable.

    The most precise range decides how much a type is liked; what cannot be read is passed over.
    Without a header, or with an empty one, anything is right.

    >>> accepted_type("text/csv;q=0.5, application/*;q=0.1, */*;q=0", OF_TABLES)
    'text/csv'
    >>> accepted_type("", OF_TABLES), accepted_type("text/html, */*;q=0.8", OF_TABLES)
    ('application/json', 'application/json')
    >>> accepted_type("text/csv;q=nan, application/json;q=0.1", OF_TABLES)
    'application/json'
    """
    if not accept.strip():
        return offered[0]
    ranges = weighted(accept)
    liked = {each: _liking(each, ranges) for each in offered}
    best = max(offered, key=lambda each: liked[each])
    if liked[best] <= 0:
        raise NotAcceptable(accept, offered)
    return best


def _liking(media_type: str, ranges: Sequence[tuple[str, float]]) -> float:
    kind = media_type.partition("/")[0]
    for wanted in (media_type, f"{kind}/*", "*/*"):
        weights = [weight for name, weight in ranges if name == wanted]
        if weights:
            return max(weight if 0 <= weight <= 1 else 0.0 for weight in weights)
    return 0.0


def weighted(header: str) -> list[tuple[str, float]]:
    """The names that a header of preferences lists, each with its q-value (RFC 9110, 12.4.2).

    One that is no number is 0: what it stands for is not taken. Others are as they were sent, also
    outside of 0 to 1.

    >>> weighted("gzip, br;q=0.5, deflate;q=much")
    [('gzip', 1.0), ('br', 0.5), ('deflate', 0.0)]
    """
    return [_weight(part) for part in header.lower().split(",") if part.strip()]


def _weight(part: str) -> tuple[str, float]:
    name, *parameters = (each.strip() for each in part.split(";"))
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            try:
                return name, float(value)
            except ValueError:
                return name, 0.0
    return name, 1.0
