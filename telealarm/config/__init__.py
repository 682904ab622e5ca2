"""The configuration: a typed model, and the file that fills it."""
