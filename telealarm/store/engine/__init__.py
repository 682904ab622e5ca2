"""The ground of every query: the database, transactions, claims, the timeline."""
