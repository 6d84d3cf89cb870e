"""commonwatt: metering data for buildings and energy communities."""

__version__ = "0.1.0"
