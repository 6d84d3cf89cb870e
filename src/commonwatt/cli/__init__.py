"""The command line: one file a command group, each of which calls use cases and shows the result.

What is slow to import (the server, the database, arithmetic) is imported by the commands that need
it, so that help and usage errors come at once.
"""
