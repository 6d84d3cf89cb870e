"""Keeping a store in order: whether it works, whether it is whole, removing a site."""
