"""What the process that commands are forked from gets ready once for all of them."""

import gc

import typer.main

from commonwatt.cli import main

# A third of what a short command takes is to make options of the parameters of all commands.
main.app = typer.main.get_command(main.app)  # type: ignore[assignment]  # called alike
# Collecting garbage would copy each page of what stands here into each command.
gc.collect()
gc.freeze()
