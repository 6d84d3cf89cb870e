"""The demo that stands still: the same answers at every start, for tests of clients."""
