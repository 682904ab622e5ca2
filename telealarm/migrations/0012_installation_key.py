"""The database recognises the installation's key."""

from peewee import *


def up(migrator, db):
    check = CharField(max_length=64, null=True)
    migrator.migrate(migrator.add_column("installation", "key_check", check))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("installation", "key_check"))
