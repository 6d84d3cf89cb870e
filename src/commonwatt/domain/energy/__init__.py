"""The energy of a meter per quarter-hour, from its used readings: interpolated or estimated."""
