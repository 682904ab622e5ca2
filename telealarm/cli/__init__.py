"""The command `telealarm`, with a file for each subcommand."""
