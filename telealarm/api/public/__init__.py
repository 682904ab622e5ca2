"""The paths without a login: hooks, links in messages, the explorer, probes."""
