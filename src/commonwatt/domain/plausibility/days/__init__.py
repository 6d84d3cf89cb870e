"""Doubts about the settled quarter-hours of whole days."""
