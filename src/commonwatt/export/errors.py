"""What keeps an export from being made, other than the server and the disk."""


class CannotExport(Exception):
    """An export cannot begin or go on; the message says why and what to do."""
