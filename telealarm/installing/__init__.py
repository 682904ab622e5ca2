"""Make an installation: its folders, its user, its secrets and its files. `telealarm init`."""
