"""Every table of the first version."""
from peewee import *
from telealarm.models.base import UtcField


def up(migrator, db):
    class User(Model):
        username = CharField(unique=True, max_length=150)
        password_hash = CharField()
        is_superuser = BooleanField(default=False)
        is_active = BooleanField(default=True)
        created = UtcField()
        class Meta:
            database = db
            table_name = 'user'
    db.create_tables([User])

    class CalendarUser(Model):
        owner = ForeignKeyField(User)
        username = CharField(max_length=150)
        password_hash = CharField()
        first_name = CharField(max_length=150, default='')
        last_name = CharField(max_length=150, default='')
        email = CharField(max_length=254, default='')
        created_date = UtcField()
        deleted = UtcField(null=True)
        class Meta:
            database = db
            table_name = 'calendar_user'
            indexes = ((('owner', 'username'), True),)
    db.create_tables([CalendarUser])

    class Rule(Model):
        owner = ForeignKeyField(User, null=True)
        name = CharField(max_length=100)
        description = TextField(default='')
        frequency = CharField(max_length=10)
        params = CharField(max_length=500, default='')
        rrule = CharField(null=True, max_length=500)
        created_date = UtcField()
        updated_date = UtcField()
        class Meta:
            database = db
            table_name = 'rule'
    db.create_tables([Rule])

    class Calendar(Model):
        owner = ForeignKeyField(User)
        name = CharField(max_length=200)
        user = ForeignKeyField(CalendarUser)
        max_concurrent = IntegerField(default=0)
        timezone = CharField(null=True, max_length=64)
        created_date = UtcField()
        deleted = UtcField(null=True)
        class Meta:
            database = db
            table_name = 'calendar'
    db.create_tables([Calendar])

    class Event(Model):
        owner = ForeignKeyField(User)
        title = CharField()
        description = TextField(null=True)
        start = UtcField()
        end = UtcField()
        creator = ForeignKeyField(CalendarUser)
        created_on = UtcField()
        end_recurring_period = UtcField(null=True)
        rule = ForeignKeyField(Rule, null=True)
        calendar = ForeignKeyField(Calendar)
        notify_count = IntegerField(default=0)
        status = IntegerField(default=1)
        data = JSONField(null=True)
        parent_event = ForeignKeyField('self', null=True)
        occ_count = IntegerField(default=0)
        timezone = CharField(null=True, max_length=64)
        exdate = JSONField(default=list)
        said_start = CharField(null=True, max_length=32)
        made_to = UtcField(null=True)
        next_child_due = UtcField(null=True)
        series_edited = BooleanField(default=False)
        children_status = IntegerField(default=1)
        children_made = IntegerField(default=0)
        original_start = UtcField(null=True)
        detached = BooleanField(default=False)
        uid = CharField(null=True)
        import_digest = CharField(null=True, max_length=64)
        deleted = UtcField(null=True)
        class Meta:
            database = db
            table_name = 'event'
            indexes = ((('status', 'end'), False), (('next_child_due',), False), (('parent_event', 'original_start'), True), (('owner', 'id', 'deleted'), False), (('owner', 'status', 'id', 'deleted'), False), (('status', 'id', 'deleted'), False), (('calendar', 'id', 'deleted'), False), (('owner', 'start', 'id', 'deleted'), False), (('start', 'id', 'deleted'), False), (('calendar', 'uid'), True))
    db.create_tables([Event])

    class SurveyTemplate(Model):
        owner = ForeignKeyField(User, field=User.id)
        name = CharField()
        tts_language = CharField(max_length=10, default='en')
        description = TextField(null=True)
        rating_counts = CharField(max_length=5, default='first')
        created_date = UtcField()
        updated_date = UtcField()
        class Meta:
            database = db
            table_name = 'survey_template'
    db.create_tables([SurveyTemplate])

    class Survey(Model):
        owner = ForeignKeyField(User, field=User.id)
        name = CharField()
        tts_language = CharField(max_length=10, default='en')
        description = TextField(null=True)
        rating_counts = CharField(max_length=5, default='first')
        created_date = UtcField()
        updated_date = UtcField()
        template = ForeignKeyField(SurveyTemplate, null=True, on_delete='SET NULL')
        class Meta:
            database = db
            table_name = 'survey'
    db.create_tables([Survey])

    class MailTemplate(Model):
        owner = ForeignKeyField(User)
        label = CharField(max_length=75)
        template_key = CharField(max_length=30, default='')
        from_email = CharField(max_length=254, default='')
        from_name = CharField(max_length=75, default='')
        subject = CharField(max_length=200)
        message_plaintext = TextField(default='')
        message_html = TextField(default='')
        created_date = UtcField()
        updated_date = UtcField()
        class Meta:
            database = db
            table_name = 'mail_template'
    db.create_tables([MailTemplate])

    class SmsTemplate(Model):
        owner = ForeignKeyField(User)
        label = CharField(max_length=75)
        template_key = CharField(max_length=30, default='')
        sender_phonenumber = CharField(max_length=50, default='')
        sms_text = CharField(max_length=1000)
        created_date = UtcField()
        updated_date = UtcField()
        class Meta:
            database = db
            table_name = 'sms_template'
    db.create_tables([SmsTemplate])

    class Alarm(Model):
        owner = ForeignKeyField(User)
        event = ForeignKeyField(Event)
        alarm_phonenumber = CharField(max_length=50, default='')
        alarm_email = CharField(max_length=254, default='')
        daily_start = TimeField()
        daily_stop = TimeField()
        offset = IntegerField(default=0)
        advance_notice = IntegerField(default=0)
        due = UtcField(null=True)
        maxretry = IntegerField(default=0)
        retry_delay = IntegerField(default=0)
        num_attempt = IntegerField(default=0)
        method = IntegerField(default=1)
        survey = ForeignKeyField(Survey, null=True)
        mail_template = ForeignKeyField(MailTemplate, null=True)
        sms_template = ForeignKeyField(SmsTemplate, null=True)
        status = IntegerField(default=1)
        status_reason = CharField(max_length=40, default='')
        result = IntegerField(default=0)
        url_cancel = CharField(max_length=500, default='')
        url_confirm = CharField(max_length=500, default='')
        phonenumber_transfer = CharField(max_length=50, default='')
        phonenumber_sms_failure = CharField(max_length=50, default='')
        timezone = CharField(null=True, max_length=64)
        language = CharField(null=True, max_length=10)
        max_lateness = IntegerField(null=True)
        require_result = BooleanField(default=False)
        retry_policy = JSONField(null=True)
        on_unknown = CharField(max_length=10, default='redial')
        missed_policy = CharField(max_length=10, default='inform')
        snooze_key = CharField(max_length=1, default='')
        about = ForeignKeyField('self', null=True)
        created_date = UtcField()
        origin = ForeignKeyField('self', null=True)
        detached = BooleanField(default=False)
        deleted = UtcField(null=True)
        class Meta:
            database = db
            table_name = 'alarm'
            indexes = ((('status', 'due'), False), (('owner', 'id', 'deleted'), False), (('owner', 'status', 'id', 'deleted'), False), (('owner', 'result', 'id', 'deleted'), False), (('status', 'id', 'deleted'), False), (('result', 'id', 'deleted'), False), (('owner', 'alarm_phonenumber', 'id', 'deleted'), False), (('alarm_phonenumber', 'id', 'deleted'), False))
    db.create_tables([Alarm])

    class AlarmRequest(Model):
        worker = CharField(index=True, null=True, max_length=64)
        fence = IntegerField(default=0)
        expires = UtcField(null=True)
        owner = ForeignKeyField(User)
        alarm = ForeignKeyField(Alarm)
        date = UtcField()
        status = IntegerField(default=1)
        status_reason = CharField(max_length=40, default='')
        callstatus = IntegerField(default=0)
        duration = IntegerField(default=0)
        created_date = UtcField()
        queue = IntegerField(default=0)
        waits_for = IntegerField(default=0)
        tried = JSONField(default=list)
        class Meta:
            database = db
            table_name = 'alarm_request'
            indexes = ((('status', 'date'), False), (('status', 'waits_for', 'queue', 'date', 'id'), False), (('status', 'expires'), False), (('owner', 'id'), False), (('owner', 'status', 'id'), False), (('status', 'id'), False), (('owner', 'date', 'id'), False), (('date', 'id'), False))
    db.create_tables([AlarmRequest])

    class ApiToken(Model):
        owner = ForeignKeyField(User, on_delete='CASCADE')
        name = CharField(max_length=80)
        digest = CharField(unique=True, max_length=64)
        created = UtcField()
        last_used = UtcField(null=True)
        revoked = UtcField(null=True)
        class Meta:
            database = db
            table_name = 'api_token'
    db.create_tables([ApiToken])

    class AudioFile(Model):
        owner = ForeignKeyField(User)
        name = CharField(max_length=150)
        digest = CharField(index=True, max_length=64)
        seconds = FloatField()
        created_date = UtcField()
        updated_date = UtcField()
        class Meta:
            database = db
            table_name = 'audio_file'
    db.create_tables([AudioFile])

    class Section(Model):
        order = IntegerField()
        type = IntegerField()
        question = CharField(max_length=500, default='')
        script = TextField(default='')
        audiofile = ForeignKeyField(AudioFile, field=AudioFile.id, null=True)
        invalid_audiofile = ForeignKeyField(AudioFile, field=AudioFile.id, null=True)
        retries = IntegerField(default=0)
        timeout = IntegerField(default=5)
        key_0 = CharField(null=True, max_length=100)
        key_1 = CharField(null=True, max_length=100)
        key_2 = CharField(null=True, max_length=100)
        key_3 = CharField(null=True, max_length=100)
        key_4 = CharField(null=True, max_length=100)
        key_5 = CharField(null=True, max_length=100)
        key_6 = CharField(null=True, max_length=100)
        key_7 = CharField(null=True, max_length=100)
        key_8 = CharField(null=True, max_length=100)
        key_9 = CharField(null=True, max_length=100)
        rating_laps = IntegerField(default=9)
        validate_number = BooleanField(default=True)
        number_digits = IntegerField(default=2)
        min_number = IntegerField(default=0)
        max_number = IntegerField(default=99)
        recording_seconds = IntegerField(default=60)
        phonenumber = CharField(null=True, max_length=50)
        confirm_script = TextField(null=True)
        confirm_key = CharField(null=True, max_length=1)
        conference = CharField(null=True, max_length=50)
        sms_text = CharField(null=True, max_length=1000)
        completed = BooleanField(default=False)
        created_date = UtcField()
        updated_date = UtcField()
        survey = ForeignKeyField(Survey)
        class Meta:
            database = db
            table_name = 'section'
    db.create_tables([Section])

    class Branching(Model):
        keys = CharField(max_length=100)
        section = ForeignKeyField(Section)
        goto = ForeignKeyField(Section, null=True)
        class Meta:
            database = db
            table_name = 'branching'
            indexes = ((('section', 'keys'), True),)
    db.create_tables([Branching])

    class SectionTemplate(Model):
        order = IntegerField()
        type = IntegerField()
        question = CharField(max_length=500, default='')
        script = TextField(default='')
        audiofile = ForeignKeyField(AudioFile, field=AudioFile.id, null=True)
        invalid_audiofile = ForeignKeyField(AudioFile, field=AudioFile.id, null=True)
        retries = IntegerField(default=0)
        timeout = IntegerField(default=5)
        key_0 = CharField(null=True, max_length=100)
        key_1 = CharField(null=True, max_length=100)
        key_2 = CharField(null=True, max_length=100)
        key_3 = CharField(null=True, max_length=100)
        key_4 = CharField(null=True, max_length=100)
        key_5 = CharField(null=True, max_length=100)
        key_6 = CharField(null=True, max_length=100)
        key_7 = CharField(null=True, max_length=100)
        key_8 = CharField(null=True, max_length=100)
        key_9 = CharField(null=True, max_length=100)
        rating_laps = IntegerField(default=9)
        validate_number = BooleanField(default=True)
        number_digits = IntegerField(default=2)
        min_number = IntegerField(default=0)
        max_number = IntegerField(default=99)
        recording_seconds = IntegerField(default=60)
        phonenumber = CharField(null=True, max_length=50)
        confirm_script = TextField(null=True)
        confirm_key = CharField(null=True, max_length=1)
        conference = CharField(null=True, max_length=50)
        sms_text = CharField(null=True, max_length=1000)
        completed = BooleanField(default=False)
        created_date = UtcField()
        updated_date = UtcField()
        survey = ForeignKeyField(SurveyTemplate, on_delete='CASCADE')
        class Meta:
            database = db
            table_name = 'section_template'
    db.create_tables([SectionTemplate])

    class BranchingTemplate(Model):
        keys = CharField(max_length=100)
        section = ForeignKeyField(SectionTemplate, on_delete='CASCADE')
        goto = ForeignKeyField(SectionTemplate, null=True, on_delete='CASCADE')
        created_date = UtcField()
        updated_date = UtcField()
        class Meta:
            database = db
            table_name = 'branching_template'
            indexes = ((('section', 'keys'), True),)
    db.create_tables([BranchingTemplate])

    class Gateway(Model):
        name = CharField(unique=True)
        status = IntegerField(default=1)
        description = TextField(null=True)
        addprefix = CharField(max_length=60, default='')
        removeprefix = CharField(max_length=60, default='')
        gateways = CharField(max_length=500)
        gateway_codecs = CharField(max_length=500, default='')
        gateway_timeouts = CharField(max_length=500, default='')
        gateway_retries = CharField(max_length=500, default='')
        originate_dial_string = CharField(max_length=500, default='')
        failover = ForeignKeyField('self', null=True)
        addparameter = CharField(max_length=360, default='')
        maximum_call = IntegerField(default=0)
        calls_per_second = FloatField(default=0)
        next_slot = UtcField(null=True)
        number_pattern = CharField(max_length=200, default='\\+?[0-9]{1,32}')
        allowed_prefixes = JSONField(default=list)
        paused = UtcField(null=True)
        created_date = UtcField()
        updated_date = UtcField()
        class Meta:
            database = db
            table_name = 'gateway'
    db.create_tables([Gateway])

    class SmsGateway(Model):
        name = CharField(unique=True)
        kind = CharField(max_length=20, default='http')
        settings = JSONField(default=dict)
        status = IntegerField(default=1)
        messages_per_second = FloatField(default=0)
        maximum_sending = IntegerField(default=4)
        next_send = UtcField(null=True)
        secret = CharField(max_length=64)
        created_date = UtcField()
        updated_date = UtcField()
        class Meta:
            database = db
            table_name = 'sms_gateway'
    db.create_tables([SmsGateway])

    class CalendarSetting(Model):
        owner = ForeignKeyField(User)
        label = CharField(max_length=80)
        callerid = CharField(max_length=80, default='')
        caller_name = CharField(max_length=80, default='')
        call_timeout = IntegerField(default=60)
        survey = ForeignKeyField(Survey)
        aleg_gateway = ForeignKeyField(Gateway)
        sms_gateway = ForeignKeyField(SmsGateway, null=True)
        voicemail = BooleanField(default=False)
        amd_behavior = IntegerField(default=1)
        voicemail_audiofile = ForeignKeyField(AudioFile, null=True)
        settle = BooleanField(default=True)
        calling_days = CharField(max_length=30, default='MO,TU,WE,TH,FR,SA,SU')
        holidays = JSONField(default=list)
        snooze_minutes = IntegerField(default=10)
        callback_pin = BooleanField(default=False)
        confirm_spoken = BooleanField(default=False)
        failure_phonenumber = CharField(null=True, max_length=50)
        created_date = UtcField()
        updated_date = UtcField()
        class Meta:
            database = db
            table_name = 'calendar_setting'
    db.create_tables([CalendarSetting])

    class CalendarUserProfile(Model):
        user = ForeignKeyField(CalendarUser, unique=True, on_delete='CASCADE')
        owner = ForeignKeyField(User)
        address = CharField(null=True, max_length=200)
        city = CharField(null=True, max_length=120)
        state = CharField(null=True, max_length=120)
        country = CharField(max_length=60, default='')
        zip_code = CharField(null=True, max_length=120)
        phone_no = CharField(null=True, max_length=90)
        fax = CharField(null=True, max_length=90)
        company_name = CharField(null=True, max_length=150)
        company_website = CharField(null=True, max_length=200)
        language = CharField(null=True, max_length=50)
        note = TextField(null=True)
        accountcode = IntegerField(null=True)
        calendar_setting = ForeignKeyField(CalendarSetting, null=True)
        timezone = CharField(null=True, max_length=64)
        permissions = JSONField()
        created_date = UtcField()
        updated_date = UtcField()
        class Meta:
            database = db
            table_name = 'calendar_user_profile'
    db.create_tables([CalendarUserProfile])

    class CallRequest(Model):
        worker = CharField(index=True, null=True, max_length=64)
        fence = IntegerField(default=0)
        owner = ForeignKeyField(User)
        request = ForeignKeyField(AlarmRequest, unique=True)
        alarm = ForeignKeyField(Alarm)
        request_uuid = CharField(max_length=36)
        aleg_uuid = CharField(unique=True, max_length=80)
        call_time = UtcField()
        status = IntegerField(default=1)
        callerid = CharField(max_length=80, default='')
        caller_name = CharField(max_length=80, default='')
        phone_number = CharField(max_length=80)
        dialled = CharField(max_length=140, default='')
        endpoint = CharField(max_length=600)
        timeout = IntegerField(default=60)
        timelimit = IntegerField(default=3600)
        gateway = ForeignKeyField(Gateway)
        survey = ForeignKeyField(Survey)
        num_attempt = IntegerField(default=1)
        last_attempt_time = UtcField(null=True)
        result = CharField(max_length=40, default='')
        hangup_cause = IntegerField(default=0)
        disposition = CharField(max_length=20, default='')
        amd_behavior = IntegerField(null=True)
        amd_status = IntegerField(default=0)
        voicemail_audiofile = ForeignKeyField(AudioFile, null=True)
        inbound = BooleanField(default=False)
        rang = BooleanField(default=False)
        refused = BooleanField(default=False)
        started = UtcField(null=True)
        answered = UtcField(null=True)
        ended = UtcField(null=True)
        settled = UtcField(null=True)
        withdrawn = UtcField(null=True)
        section = ForeignKeyField(Section, null=True)
        lap = IntegerField(default=0)
        acting = BooleanField(default=False)
        playback = CharField(max_length=120, default='')
        heard = BooleanField(default=False)
        completed = BooleanField(default=False)
        finished = BooleanField(default=False)
        class Meta:
            database = db
            table_name = 'call_request'
            indexes = ((('ended', 'settled'), False), (('ended', 'dialled'), False), (('status', 'worker'), False), (('owner', 'id'), False), (('owner', 'status', 'id'), False), (('status', 'id'), False), (('owner', 'phone_number', 'id'), False), (('phone_number', 'id'), False), (('owner', 'call_time', 'id'), False), (('call_time', 'id'), False))
    db.create_tables([CallRequest])

    class DncList(Model):
        owner = ForeignKeyField(User)
        name = CharField(max_length=100)
        description = TextField(null=True)
        created_date = UtcField()
        updated_date = UtcField()
        class Meta:
            database = db
            table_name = 'dnc_list'
    db.create_tables([DncList])

    class DncContact(Model):
        dnc = ForeignKeyField(DncList, on_delete='CASCADE')
        phone_number = CharField(null=True, max_length=50)
        email = CharField(null=True, max_length=254)
        created_date = UtcField()
        updated_date = UtcField()
        class Meta:
            database = db
            table_name = 'dnc_contact'
            indexes = ((('phone_number', 'dnc'), True), (('email', 'dnc'), True))
    db.create_tables([DncContact])

    class EarlyReport(Model):
        gateway = ForeignKeyField(SmsGateway, on_delete='CASCADE')
        external_id = CharField(max_length=200)
        delivery = CharField(max_length=12)
        said = CharField(max_length=500)
        received = UtcField()
        class Meta:
            database = db
            table_name = 'early_report'
            indexes = ((('gateway', 'external_id'), False),)
    db.create_tables([EarlyReport])

    class IdempotencyKey(Model):
        owner = ForeignKeyField(User, on_delete='CASCADE')
        path = CharField()
        key = CharField()
        digest = CharField(max_length=64)
        status = IntegerField()
        headers = JSONField()
        body = TextField()
        created = UtcField(index=True)
        class Meta:
            database = db
            table_name = 'idempotency_key'
            indexes = ((('owner', 'path', 'key'), True),)
    db.create_tables([IdempotencyKey])

    class InboundSms(Model):
        gateway = ForeignKeyField(SmsGateway)
        external_id = CharField(max_length=200)
        sender = CharField(max_length=50)
        text = CharField(max_length=1000)
        alarm = ForeignKeyField(Alarm, null=True)
        outcome = CharField(max_length=40, default='')
        received = UtcField()
        class Meta:
            database = db
            table_name = 'inbound_sms'
            indexes = ((('gateway', 'external_id'), True), (('gateway', 'sender', 'received'), False))
    db.create_tables([InboundSms])

    class Installation(Model):
        name = CharField(max_length=16)
        secret = CharField(max_length=64)
        created = UtcField()
        paused = UtcField(null=True)
        class Meta:
            database = db
            table_name = 'installation'
    db.create_tables([Installation])

    class Message(Model):
        worker = CharField(index=True, null=True, max_length=64)
        fence = IntegerField(default=0)
        owner = ForeignKeyField(User)
        alarm = ForeignKeyField(Alarm)
        request = ForeignKeyField(AlarmRequest, unique=True, null=True)
        gateway = ForeignKeyField(SmsGateway, null=True)
        method = IntegerField(default=2)
        purpose = CharField(max_length=20, default='alarm')
        uid = CharField(index=True, max_length=80)
        recipient = CharField(max_length=254)
        tail = CharField(index=True, max_length=8, default='')
        sender = CharField(max_length=340, default='')
        subject = CharField(max_length=1000, default='')
        text = TextField()
        html = TextField(default='')
        unsubscribe = CharField(max_length=700, default='')
        encoding = CharField(max_length=10, default='')
        segments = IntegerField(default=0)
        status = IntegerField(default=1)
        date = UtcField()
        tries = IntegerField(default=0)
        reference = CharField(index=True, max_length=200, default='')
        said = CharField(max_length=500, default='')
        delivery = CharField(max_length=12, default='')
        sent = UtcField(null=True)
        withdrawn = UtcField(null=True)
        created_date = UtcField()
        invitation = JSONField(null=True)
        sequence = IntegerField(default=0)
        starts = UtcField(null=True)
        ends = UtcField(null=True)
        current = BooleanField(default=False)
        class Meta:
            database = db
            table_name = 'message'
            indexes = ((('status', 'date'), False), (('owner', 'id'), False), (('current', 'ends'), False))
    db.create_tables([Message])

    class SurveyResult(Model):
        call = ForeignKeyField(CallRequest)
        section = ForeignKeyField(Section)
        response = CharField(max_length=100)
        record_file = CharField(max_length=64, default='')
        recording_duration = FloatField(default=0)
        created_date = UtcField()
        class Meta:
            database = db
            table_name = 'survey_result'
            indexes = ((('call', 'section'), True),)
    db.create_tables([SurveyResult])

    class Timeline(Model):
        alarm = ForeignKeyField(Alarm)
        request = ForeignKeyField(AlarmRequest, null=True)
        at = UtcField()
        what = CharField(max_length=40)
        why = TextField(default='')
        class Meta:
            database = db
            table_name = 'timeline'
    db.create_tables([Timeline])

    class Transfer(Model):
        owner = ForeignKeyField(User)
        call = ForeignKeyField(CallRequest)
        section = ForeignKeyField(Section)
        gateway = ForeignKeyField(Gateway)
        aleg_uuid = CharField(unique=True, max_length=120)
        phone_number = CharField(max_length=80)
        endpoint = CharField(max_length=600)
        started = UtcField()
        answered = UtcField(null=True)
        taken = UtcField(null=True)
        ended = UtcField(null=True)
        disposition = CharField(max_length=20, default='')
        hangup_cause = IntegerField(default=0)
        class Meta:
            database = db
            table_name = 'transfer'
            indexes = ((('call', 'section'), False), (('ended', 'gateway'), False), (('owner', 'id'), False))
    db.create_tables([Transfer])

    class Trunk(Model):
        worker = CharField(max_length=64)
        name = CharField(max_length=64)
        state = CharField(max_length=10)
        why = CharField(max_length=300, default='')
        since = UtcField()
        class Meta:
            database = db
            table_name = 'trunk'
            indexes = ((('worker', 'name'), True),)
    db.create_tables([Trunk])

    class Webhook(Model):
        owner = ForeignKeyField(User)
        target_url = CharField(max_length=500)
        events = JSONField(default=list)
        secret = CharField(max_length=60)
        old_secret = CharField(null=True, max_length=60)
        old_until = UtcField(null=True)
        status = IntegerField(default=1)
        status_reason = CharField(max_length=300, default='')
        failing_since = UtcField(null=True)
        created_date = UtcField()
        updated_date = UtcField()
        class Meta:
            database = db
            table_name = 'webhook'
    db.create_tables([Webhook])

    class WebhookDelivery(Model):
        worker = CharField(index=True, null=True, max_length=64)
        fence = IntegerField(default=0)
        owner = ForeignKeyField(User)
        webhook = ForeignKeyField(Webhook, null=True, on_delete='CASCADE')
        alarm = ForeignKeyField(Alarm, null=True)
        message_id = CharField(unique=True, max_length=40)
        type = CharField(max_length=40)
        target_url = CharField(max_length=500)
        endpoint = CharField(max_length=300)
        lane = CharField(max_length=330)
        payload = TextField()
        status = IntegerField(default=1)
        date = UtcField()
        attempt = IntegerField(default=0)
        tries = JSONField(default=list)
        created_date = UtcField()
        class Meta:
            database = db
            table_name = 'webhook_delivery'
            indexes = ((('status', 'date'), False), (('owner', 'id'), False), (('created_date',), False), (('lane', 'status'), False))
    db.create_tables([WebhookDelivery])

    class Worker(Model):
        name = CharField(unique=True, max_length=64)
        fence = IntegerField(default=1)
        lease_until = UtcField()
        class Meta:
            database = db
            table_name = 'worker'
    db.create_tables([Worker])


def down(migrator, db):
    migrator.migrate(migrator.drop_table('worker'))
    migrator.migrate(migrator.drop_table('webhook_delivery'))
    migrator.migrate(migrator.drop_table('webhook'))
    migrator.migrate(migrator.drop_table('trunk'))
    migrator.migrate(migrator.drop_table('transfer'))
    migrator.migrate(migrator.drop_table('timeline'))
    migrator.migrate(migrator.drop_table('survey_result'))
    migrator.migrate(migrator.drop_table('message'))
    migrator.migrate(migrator.drop_table('installation'))
    migrator.migrate(migrator.drop_table('inbound_sms'))
    migrator.migrate(migrator.drop_table('idempotency_key'))
    migrator.migrate(migrator.drop_table('early_report'))
    migrator.migrate(migrator.drop_table('dnc_contact'))
    migrator.migrate(migrator.drop_table('dnc_list'))
    migrator.migrate(migrator.drop_table('call_request'))
    migrator.migrate(migrator.drop_table('calendar_user_profile'))
    migrator.migrate(migrator.drop_table('calendar_setting'))
    migrator.migrate(migrator.drop_table('sms_gateway'))
    migrator.migrate(migrator.drop_table('gateway'))
    migrator.migrate(migrator.drop_table('branching_template'))
    migrator.migrate(migrator.drop_table('section_template'))
    migrator.migrate(migrator.drop_table('branching'))
    migrator.migrate(migrator.drop_table('section'))
    migrator.migrate(migrator.drop_table('audio_file'))
    migrator.migrate(migrator.drop_table('api_token'))
    migrator.migrate(migrator.drop_table('alarm_request'))
    migrator.migrate(migrator.drop_table('alarm'))
    migrator.migrate(migrator.drop_table('sms_template'))
    migrator.migrate(migrator.drop_table('mail_template'))
    migrator.migrate(migrator.drop_table('survey'))
    migrator.migrate(migrator.drop_table('survey_template'))
    migrator.migrate(migrator.drop_table('event'))
    migrator.migrate(migrator.drop_table('calendar'))
    migrator.migrate(migrator.drop_table('rule'))
    migrator.migrate(migrator.drop_table('calendar_user'))
    migrator.migrate(migrator.drop_table('user'))
