"""The stored form of columns, with their checksums."""
