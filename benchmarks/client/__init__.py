"""The figures of the Python client and of its export."""
