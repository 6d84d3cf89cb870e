"""What is in which table: one module a subject."""
