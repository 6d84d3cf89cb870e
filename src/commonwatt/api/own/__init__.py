"""Our own surface: an endpoint's query, body, answer, handler and documentation in one file."""
