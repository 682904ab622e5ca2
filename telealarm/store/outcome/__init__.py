"""How an attempt ends, and what follows from it."""
