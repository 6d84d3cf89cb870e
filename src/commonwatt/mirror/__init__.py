"""Copying sites of a Climkit server into a store of our own, month by month.

It asks through `commonwatt.client` and writes by the use cases that the PUT surface and `apply`
call, so that no server of ours has to run, and one that runs shows it at once.
"""
