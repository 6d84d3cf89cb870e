"""A site as it is declared in YAML: its shapes, read with lines, and written."""
