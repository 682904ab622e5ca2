"""The texts of alarms by mail or SMS. `{placeholders}` are filled in when a message is written."""

from peewee import CharField, ForeignKeyField, TextField

from telealarm.models.account import User
from telealarm.models.base import BaseModel, Key, created


class MailTemplate(BaseModel):
    owner = ForeignKeyField(User)
    owner_id: Key
    label = CharField(max_length=75)
    template_key = CharField(max_length=30, default="")
    from_email = CharField(max_length=254, default="")
    from_name = CharField(max_length=75, default="")
    subject = CharField(max_length=200)
    message_plaintext = TextField(default="")
    message_html = TextField(default="")
    created_date = created()
    updated_date = created()


class SmsTemplate(BaseModel):
    owner = ForeignKeyField(User)
    owner_id: Key
    label = CharField(max_length=75)
    template_key = CharField(max_length=30, default="")
    sender_phonenumber = CharField(max_length=50, default="")
    sms_text = CharField(max_length=1000)
    created_date = created()
    updated_date = created()
