"""Stamps as senders write them, to instants."""
