"""``python -m commonwatt`` is the command ``commonwatt``."""

from commonwatt.cli.main import main

if __name__ == "__main__":
    main()
