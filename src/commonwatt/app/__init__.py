"""Use cases, a verb a file, and the ports they need."""
