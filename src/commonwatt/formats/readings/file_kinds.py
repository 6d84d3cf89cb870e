"""What a file is that is no CSV in UTF-8, by its first bytes, and what to do with it."""

import codecs
import re

from commonwatt.formats.errors import UnreadableBody

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_EXCEL_OLD = bytes.fromhex("d0cf11e0a1b11ae1")
_ZIP = b"PK\x03\x04"
_SHEETS = (b"xl/", b"[Content_Types].xml", b"mimetype")
_SAVE = "save the sheet as CSV UTF-8 (comma delimited)"
_NOT_UTF_8 = re.compile("[\udc80-\udcff]")


def refuse_other_files(start: bytes) -> None:
    """Raise `UnreadableBody` for a file whose first bytes are those of another kind of file."""
    if start.startswith(_EXCEL_OLD):
        raise UnreadableBody(0, 0, f"an Excel workbook (.xls), not CSV; {_SAVE}")
    if start.startswith(_ZIP):
        if any(name in start[:4096] for name in _SHEETS):
            raise UnreadableBody(0, 0, f"a workbook (.xlsx or .ods), not CSV; {_SAVE}")
        raise UnreadableBody(0, 0, "a zip archive, not CSV; unpack it, or send gzip")
    if start.startswith(_UTF_16) or b"\0" in start[:64]:
        raise UnreadableBody(
            0,
            0,
            "the text is UTF-16, as Excel's 'Unicode Text' is; save it as CSV UTF-8, or convert "
            "it: iconv -f UTF-16 -t UTF-8",
        )


def not_utf_8(text: str) -> str | None:
    r"""Say which byte of a text that was decoded with surrogates is not UTF-8; None without any.

    >>> not_utf_8(b"Z\xe4hler".decode("utf-8", "surrogateescape"))[:33]
    'byte 0xe4 (ä in Windows-1252) is '
    """
    found = None if text.isascii() else _NOT_UTF_8.search(text)
    if found is None:
        return None
    byte = ord(found[0]) & 0xFF
    letter = bytes([byte]).decode("cp1252", "replace")
    return (
        f"byte {byte:#04x} ({letter} in Windows-1252) is not UTF-8; save the file as UTF-8, or "
        "convert it: iconv -f WINDOWS-1252 -t UTF-8"
    )
