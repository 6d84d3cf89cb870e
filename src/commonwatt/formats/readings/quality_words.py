"""The words with which senders qualify their readings, and ours.

What replaces a reading counts as estimated, what stands for none as a placeholder. Bare numbers and
single letters are known only where no other sender means something else by them. `docs/glossary.md`
names where the words are from.
"""

from collections.abc import Mapping
from typing import NamedTuple

from commonwatt.domain.metering.readings import ReadingQuality

_MEASURED, _ESTIMATED = ReadingQuality.MEASURED, ReadingQuality.ESTIMATED
_PLACEHOLDER = ReadingQuality.PLACEHOLDER


class QualityWord(NamedTuple):
    """A sender's word, written in any case, and what it says of a reading."""

    word: str
    quality: ReadingQuality
    sender: str


QUALITY_WORDS = (
    QualityWord("measured", _MEASURED, "commonwatt"),
    QualityWord("estimated", _ESTIMATED, "commonwatt"),
    QualityWord("placeholder", _PLACEHOLDER, "commonwatt"),
    QualityWord("Read", _MEASURED, "Fluvius, English"),
    QualityWord("No consumption", _PLACEHOLDER, "Fluvius, English"),
    QualityWord("Gevalideerd", _MEASURED, "Fluvius, Dutch"),
    QualityWord("Geschat", _ESTIMATED, "Fluvius, Dutch"),
    QualityWord("Geen verbruik", _PLACEHOLDER, "Fluvius, Dutch"),
    QualityWord("EST", _ESTIMATED, "Fluvius, API"),
    QualityWord("Real", _MEASURED, "E-REDES, Datadis"),
    QualityWord("Estimada", _ESTIMATED, "E-REDES, Datadis"),
    QualityWord("BRUT", _MEASURED, "Enedis"),
    QualityWord("L1", _MEASURED, "EDA"),
    QualityWord("L2", _ESTIMATED, "EDA"),
    QualityWord("L3", _ESTIMATED, "EDA"),
    QualityWord("220", _MEASURED, "MSCONS"),
    QualityWord("67", _ESTIMATED, "MSCONS"),
    QualityWord("actual", _MEASURED, "Kraken (Octopus)"),
    QualityWord("estimate", _ESTIMATED, "Kraken (Octopus)"),
    QualityWord("calculated", _ESTIMATED, "Kraken (Octopus)"),
    QualityWord("zeroed", _PLACEHOLDER, "Kraken (Octopus)"),
    QualityWord("A", _MEASURED, "NEM12"),
    QualityWord("E", _ESTIMATED, "NEM12"),
    QualityWord("F", _ESTIMATED, "NEM12"),
    QualityWord("S", _ESTIMATED, "NEM12"),
    QualityWord("N", _PLACEHOLDER, "NEM12"),
    QualityWord("A04", _MEASURED, "CIM, Energinet"),
    QualityWord("A03", _ESTIMATED, "CIM, Energinet"),
    QualityWord("A06", _ESTIMATED, "CIM, Energinet"),
    QualityWord("A02", _PLACEHOLDER, "CIM, Energinet"),
    QualityWord("E01", _MEASURED, "ebIX, Energinet"),
    QualityWord("56", _ESTIMATED, "ebIX, Energinet"),
    QualityWord("valid", _MEASURED, "ESPI (Green Button)"),
    QualityWord("validated", _MEASURED, "ESPI (Green Button)"),
    QualityWord("verified", _MEASURED, "ESPI (Green Button)"),
    QualityWord("revenue-quality", _MEASURED, "ESPI (Green Button)"),
    QualityWord("raw", _MEASURED, "ESPI (Green Button)"),
    QualityWord("manually edited", _ESTIMATED, "ESPI (Green Button)"),
    QualityWord("estimated using reference day", _ESTIMATED, "ESPI (Green Button)"),
    QualityWord("estimated using linear interpolation", _ESTIMATED, "ESPI (Green Button)"),
    QualityWord("projected", _ESTIMATED, "ESPI (Green Button)"),
    QualityWord("17", _MEASURED, "ESPI (Green Button)"),
    QualityWord("18", _MEASURED, "ESPI (Green Button)"),
    QualityWord("19", _MEASURED, "ESPI (Green Button)"),
    QualityWord("8", _ESTIMATED, "ESPI (Green Button)"),
    QualityWord("9", _ESTIMATED, "ESPI (Green Button)"),
    QualityWord("Messwert", _MEASURED, "German"),
    QualityWord("Ersatzwert", _ESTIMATED, "German"),
    QualityWord("mesuré", _MEASURED, "French"),
    QualityWord("estimé", _ESTIMATED, "French"),
    QualityWord("misurato", _MEASURED, "Italian"),
    QualityWord("stimato", _ESTIMATED, "Italian"),
)
"""Every known word; `docs/glossary.md` prints them."""

_BY_WORD: Mapping[str, ReadingQuality] = {
    each.word.casefold(): each.quality for each in QUALITY_WORDS
}


def quality_of(word: str) -> ReadingQuality | None:
    """Return what a word says of a reading, None if it is not known.

    >>> quality_of("GESCHAT"), quality_of("perhaps")
    (<ReadingQuality.ESTIMATED: 1>, None)
    """
    return _BY_WORD.get(word.strip().casefold())
