"""Every query. Functions here are ordinary peewee code, run through store.database."""
