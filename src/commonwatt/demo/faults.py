"""Why the demo cannot run."""


class CannotRunDemo(Exception):
    """The demo cannot run here; the message says why and what would help."""
