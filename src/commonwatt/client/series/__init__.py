"""Series: asked for in parts, joined, and given as columns and frames."""
