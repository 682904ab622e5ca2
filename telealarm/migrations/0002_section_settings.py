"""The fields of section types move into one column, `settings`."""

from peewee import *

TABLES = ("section", "section_template")


def moved():
    """The columns that move, as 0001 has made them."""
    return {
        **{"key_%d" % key: CharField(null=True, max_length=100) for key in range(10)},
        "rating_laps": IntegerField(default=9),
        "validate_number": BooleanField(default=True),
        "number_digits": IntegerField(default=2),
        "min_number": IntegerField(default=0),
        "max_number": IntegerField(default=99),
        "recording_seconds": IntegerField(default=60),
        "phonenumber": CharField(null=True, max_length=50),
        "confirm_script": TextField(null=True),
        "confirm_key": CharField(null=True, max_length=1),
        "conference": CharField(null=True, max_length=50),
        "sms_text": CharField(null=True, max_length=1000),
    }


def settings():
    # With a default of the database's own, SQLite need not make the table anew.
    return JSONField(default=dict, constraints=[SQL("DEFAULT '{}'")])


def model(db, table):
    meta = type("Meta", (), {"database": db, "table_name": table})
    fields = {"id": AutoField(), "settings": JSONField(), **moved()}
    return type("Section", (Model,), {"Meta": meta, **fields})


def up(migrator, db):
    for table in TABLES:
        migrator.migrate(migrator.add_column(table, "settings", settings(), allow_not_null=True))
        section = model(db, table)
        for row in list(section.select()):
            values = {name: getattr(row, name) for name in moved()}
            section.update(settings=values).where(section.id == row.id).execute()
        migrator.migrate(*[migrator.drop_column(table, name) for name in moved()])


def down(migrator, db):
    for table in TABLES:
        for name, field in moved().items():
            if not field.null:
                field.constraints = [SQL("DEFAULT %s" % str(field.default).lower())]
            migrator.migrate(migrator.add_column(table, name, field, allow_not_null=True))
        section = model(db, table)
        for row in list(section.select()):
            values = {name: row.settings[name] for name in moved() if name in row.settings}
            if values:
                section.update(values).where(section.id == row.id).execute()
        migrator.migrate(migrator.drop_column(table, "settings"))
