"""How an attempt ends, and what follows."""
