"""Names that look like others: letters of several scripts in a word, and forms of letters."""

import re
import unicodedata

_SCRIPTS = ("LATIN", "GREEK", "CYRILLIC")
"""The scripts of which letters look alike."""
_LAST_LATIN = "\u017f"
_LIKE_OTHERS = frozenset("\u0131\u0138")  # an i without its dot, and a small k


def mixes_scripts(text: str) -> bool:
    """Whether a word mixes letters of Latin, Greek and Cyrillic.

    >>> mixes_scripts("Basel 3"), mixes_scripts("B\u0430sel 3")  # a Cyrillic a
    (False, True)
    """
    return any(len({*map(_script, word)} - {None}) > 1 for word in re.split(r"\W+", text))


def has_special_forms(text: str) -> bool:
    """Whether a letter or digit is a form of another, as a wide one; also a decomposed accent.

    >>> has_special_forms("CH-0012"), has_special_forms("CH-\uff10\uff10")  # wide digits
    (False, True)
    """
    return unicodedata.normalize("NFKC", text) != text


def is_plain_latin(text: str) -> bool:
    """Whether all letters are Latin ones of European languages, and none is a form of another.

    >>> is_plain_latin("j\u00fcrg@example.ch"), is_plain_latin("h\u0435idi")  # a Cyrillic e
    (True, False)
    """
    if has_special_forms(text) or not _LIKE_OTHERS.isdisjoint(text):
        return False
    return all(letter <= _LAST_LATIN for letter in text)


def _script(letter: str) -> str | None:
    name = unicodedata.name(letter, "")
    return next((script for script in _SCRIPTS if name.startswith(f"{script} ")), None)
