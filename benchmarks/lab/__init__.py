"""What the measurements share. Nothing here is a command."""
