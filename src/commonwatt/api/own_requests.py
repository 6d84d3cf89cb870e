"""What our own surface is asked: unknown parameters are refused, never ignored."""

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import TypeVar

from commonwatt.api.http.problems import InvalidInput
from commonwatt.climkit_v1.requests import parse_time
from commonwatt.domain.metering.catalogue import REGISTERS_OF, Group, Medium, Register
from commonwatt.domain.metering.readings import ReadingQuality
from commonwatt.domain.metering.resample import Sampling
from commonwatt.formats.readings.quality_words import QUALITY_WORDS, quality_of

E = TypeVar("E", bound=StrEnum)

_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]{1,3})?")
_FRACTION = re.compile(r"[.,]([0-9]+)")


def parameters(query: Sequence[tuple[str, str]], known: Sequence[str]) -> Mapping[str, str]:
    """The query's parameters. Raises InvalidInput for one that is unknown or given twice."""
    found: dict[str, str] = {}
    for name, value in query:
        if name not in known:
            there_are = f"there are {', '.join(known)}" if known else "there is none here"
            raise InvalidInput(name, f"{name[:60]!r} is no parameter; {there_are}")
        if name in found:
            raise InvalidInput(name, f"{name} is given twice")
        found[name] = value
    return found


def instant(query: Mapping[str, str], name: str) -> int | None:
    """An instant of the query in Unix seconds, None where it is not given."""
    value = query.get(name)
    return None if value is None else parse_time(name, value)


def instant_us(query: Mapping[str, str], name: str) -> int | None:
    """An instant of the query in Unix microseconds, None where it is not given."""
    instant_at = instant(query, name)
    if instant_at is None:
        return None
    fraction = _FRACTION.search(query[name])
    return instant_at * 1_000_000 + (int(fraction[1].ljust(6, "0")[:6]) if fraction else 0)


def sampling(query: Mapping[str, str]) -> Sampling:
    """The length of the periods asked for; quarter-hours by default."""
    word = query.get("sampling", Sampling.QUARTER_HOUR.value)
    try:
        return Sampling(word)
    except ValueError:
        raise InvalidInput("sampling", f"sampling is one of {', '.join(Sampling)}") from None


def register(query: Mapping[str, str], of: Medium) -> Register | None:
    """The register asked for, one of a medium's; None without."""
    word = query.get("register")
    if word is None:
        return None
    there_are = REGISTERS_OF[of]
    if word not in there_are:
        raise InvalidInput(
            "register", f"register of a meter of {of.value} is one of {', '.join(there_are)}"
        )
    return Register(word)


def medium(query: Mapping[str, str]) -> Medium:
    """The type asked for; electricity by default."""
    word = query.get("type", Medium.ELECTRICITY.value)
    try:
        return Medium(word)
    except ValueError:
        raise InvalidInput("type", f"type is one of {', '.join(Medium)}") from None


def group(query: Mapping[str, str]) -> Group:
    """The group asked for; electricity by default."""
    word = query.get("group", Group.ELECTRICITY.value)
    try:
        return Group(word)
    except ValueError:
        raise InvalidInput("group", f"group is one of {', '.join(Group)}") from None


def reading_quality(query: Mapping[str, str]) -> ReadingQuality:
    """What is said of rows that do not say it themselves, in any sender's word; else measured."""
    word = query.get("quality", ReadingQuality.MEASURED.name)
    quality = quality_of(word)
    if quality is None:
        known = ", ".join(each.word for each in QUALITY_WORDS)
        raise InvalidInput("quality", f"quality is one of {known}")
    return quality


def one_of(query: Mapping[str, str], name: str, words: type[E]) -> E | None:
    """One of the words of an enumeration; None where it is not given."""
    word = query.get(name)
    if word is None:
        return None
    try:
        return words(word)
    except ValueError:
        raise InvalidInput(name, f"{name} is one of {', '.join(words)}") from None


def flag(query: Mapping[str, str], name: str) -> bool:
    """Whether something is so, true or false; false without it."""
    word = query.get(name, "false")
    if word not in ("true", "false"):
        raise InvalidInput(name, f"{name} is true or false")
    return word == "true"


def percentage(query: Mapping[str, str], name: str, default: float) -> float:
    """A percentage from 0 to 100, as a share [0 to 1]; ``default`` is the share without it."""
    word = query.get(name)
    if word is None:
        return default
    if _NUMBER.fullmatch(word) is None or not 0 <= float(word) <= 100:
        raise InvalidInput(name, f"{name} is a percentage from 0 to 100, such as 2.5")
    return float(word) / 100


def ordered(start_at: int | None, end_at: int | None) -> None:
    """Raise InvalidInput where the start is after the end."""
    if start_at is not None and end_at is not None and start_at > end_at:
        raise InvalidInput("start", "start must not be after end")
