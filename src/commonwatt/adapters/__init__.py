"""What the use cases need from the outside: the store, tokens, passwords, rate limits."""
