"""Findings about the settled quarter-hours of whole days that are implausible."""
