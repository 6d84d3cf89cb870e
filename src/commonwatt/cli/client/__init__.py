"""Commands that ask a server: list, get, watch, export, mirror, conformance."""
