"""Phone numbers have an E.164 form, and regions place them. Gateways know their own phones.

The numbers themselves are read when the tables are complete: see store/numbers.py.
"""

from peewee import *

REGIONS = ("user", "calendar_setting", "gateway")
E164 = {
    "alarm": ("alarm_e164", "transfer_e164", "sms_failure_e164"),
    "calendar_setting": ("failure_e164",),
    "dnc_contact": ("e164",),
}
INDEXED = (("alarm", "alarm_e164"), ("dnc_contact", "e164"))


def extensions():
    # With a default of the database's own, SQLite need not make the table anew.
    return BooleanField(default=False, constraints=[SQL("DEFAULT false")])


def up(migrator, db):
    for table in REGIONS:
        migrator.migrate(migrator.add_column(table, "region", CharField(max_length=2, null=True)))
    for table, names in E164.items():
        for name in names:
            migrator.migrate(migrator.add_column(table, name, CharField(max_length=20, null=True)))
    for table, name in INDEXED:
        migrator.migrate(migrator.add_index(table, (name,)))
    migrator.migrate(
        migrator.add_column("gateway", "extensions", extensions(), allow_not_null=True)
    )
    # The number is the name of a phone in Asterisk: such a gateway dials no trunk.
    meta = type("Meta", (), {"database": db, "table_name": "gateway"})
    fields = {"id": AutoField(), "gateways": CharField(), "extensions": BooleanField()}
    gateway = type("Gateway", (Model,), {"Meta": meta, **fields})
    gateway.update(extensions=True).where(gateway.gateways == "PJSIP/{number}").execute()


def down(migrator, db):
    migrator.migrate(migrator.drop_column("gateway", "extensions"))
    for table, name in INDEXED:
        migrator.migrate(migrator.drop_index(table, "%s_%s" % (table, name)))
    for table, names in E164.items():
        for name in names:
            migrator.migrate(migrator.drop_column(table, name))
    for table in REGIONS:
        migrator.migrate(migrator.drop_column(table, "region"))
