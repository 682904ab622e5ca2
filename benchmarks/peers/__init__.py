"""Other programs that do the same work. They run in a virtual environment of their own."""
