"""The store on SQLAlchemy Core: SQLite as the embedded default, PostgreSQL beyond one machine."""
