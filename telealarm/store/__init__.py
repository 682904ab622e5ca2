"""Every query. A function here is plain peewee code. Call it by `write` or `read` of a Database."""
