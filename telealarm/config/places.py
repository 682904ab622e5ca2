"""Where the configuration file is looked for."""

DEFAULT_PATH = "config/telealarm.yml"
# Where `telealarm init` writes it.
INSTALLED_PATH = "/etc/telealarm/telealarm.yml"
