"""Pure rules: they use no database and no network, and the caller passes the time in."""
