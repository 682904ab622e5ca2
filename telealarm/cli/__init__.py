"""The command `telealarm`, one subcommand a file."""
