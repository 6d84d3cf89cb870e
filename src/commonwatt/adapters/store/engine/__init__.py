"""The database: connections, transactions, and how statements are run and ended."""
