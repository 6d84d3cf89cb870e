"""Readings in: deliveries, the versions that count, what is held back, sensor values."""
