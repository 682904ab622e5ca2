"""`python -m telealarm` is the command `telealarm`."""

from telealarm.cli.main import main

if __name__ == "__main__":
    raise SystemExit(main())
