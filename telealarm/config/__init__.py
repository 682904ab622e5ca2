"""The configuration: a typed model, and the reader of its file."""
