"""Validation, estimation, editing: from readings to the index at quarter-hour boundaries."""
