"""Commands that run and look after a store: serve, demo, settle, status, verify."""
