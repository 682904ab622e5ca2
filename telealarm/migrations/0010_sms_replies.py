"""What a reply of CANCEL means to an SMS gateway; which do-not-call entries a reply of STOP made."""

from peewee import *

# As in telealarm/store/do_not_call.py.
OPTED_OUT = "Opted out by themselves"


def up(migrator, db):
    # With a default of the database's own, SQLite need not make the table anew.
    cancel = CharField(
        max_length=12, default="appointment", constraints=[SQL("DEFAULT 'appointment'")]
    )
    by_stop = BooleanField(default=False, constraints=[SQL("DEFAULT FALSE")])
    migrator.migrate(
        migrator.add_column("sms_gateway", "sms_cancel", cancel, allow_not_null=True),
        migrator.add_column("dnc_contact", "by_stop", by_stop, allow_not_null=True),
    )
    # Until now STOP wrote its number on this list, and only if no list had it.
    senders = db.execute_sql("SELECT sender FROM inbound_sms WHERE outcome = 'stopped'").fetchall()
    tails = {digits(sender) for (sender,) in senders}
    entries = db.execute_sql(
        "SELECT dnc_contact.id, phone_number FROM dnc_contact"
        " JOIN dnc_list ON dnc_list.id = dnc_contact.dnc_id"
        " WHERE phone_number IS NOT NULL AND name = '%s'" % OPTED_OUT
    ).fetchall()
    for row_id, number in entries:
        if digits(number) in tails:
            db.execute_sql("UPDATE dnc_contact SET by_stop = TRUE WHERE id = %d" % row_id)


def digits(number):
    """The last eight digits: they are the same with and without the country code."""
    return "".join(key for key in number if key.isdigit())[-8:]


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column("dnc_contact", "by_stop"),
        migrator.drop_column("sms_gateway", "sms_cancel"),
    )
