"""The words of the API that its users say."""

from typing import TypeVar

from commonwatt.climkit_v1.words import MeterType, SamplingFrequency

__all__ = ["MeterType", "SamplingFrequency", "word_of"]

W = TypeVar("W", SamplingFrequency, MeterType)


def word_of(words: type[W], word: str, argument: str) -> W:
    """Return one of the words of the API. Raises ValueError, which names them all.

    >>> word_of(SamplingFrequency, "W", "sampling")
    Traceback (most recent call last):
    ValueError: sampling 'W' must be one of 15T, H, D, M, Y
    """
    try:
        return words(word)
    except ValueError:
        raise ValueError(f"{argument} {word!r} must be one of {', '.join(words)}") from None
