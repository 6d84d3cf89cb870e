"""Settling: which days, from which stored readings, and their quarter-hours."""
