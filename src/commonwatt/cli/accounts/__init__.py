"""Commands on accounts, grants and the audit."""
