"""The base of every query: the database, transactions, claims, the timeline."""
