"""Peer of benchmarks.rest_create: Django REST Framework, one gunicorn worker with 8 threads.

Usage: python -m benchmarks.peers.rest_django PORT sqlite:///FILE|postgresql://...
"""

import sys
from typing import Any, ClassVar
from urllib.parse import urlsplit

port, where = int(sys.argv[1]), sys.argv[2]
import django  # noqa: E402
from django.conf import settings  # noqa: E402

if where.startswith("sqlite"):
    database = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": where.removeprefix("sqlite:///"),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=wal; PRAGMA synchronous=full",
        },
    }
else:
    parts = urlsplit(where)
    database = {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path[1:],
        "USER": parts.username,
        "PASSWORD": parts.password,
        "HOST": parts.hostname,
        "PORT": parts.port,
        "CONN_MAX_AGE": None,
    }
settings.configure(
    SECRET_KEY="x",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    DATABASES={"default": database},
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "rest_framework"],
    MIDDLEWARE=[],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [],
        "DEFAULT_PERMISSION_CLASSES": [],
        "UNAUTHENTICATED_USER": None,
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
)
django.setup()
from django.db import connection, models  # noqa: E402
from django.http import HttpResponse  # noqa: E402
from django.urls import include, path  # noqa: E402
from rest_framework import routers, serializers, viewsets  # noqa: E402


class Event(models.Model):
    owner = models.IntegerField(default=1)
    title = models.CharField(max_length=200)
    start = models.DateTimeField(db_index=True)
    end = models.DateTimeField()
    calendar = models.CharField(max_length=200)
    creator = models.CharField(max_length=200)
    status = models.IntegerField(default=1)
    data = models.JSONField(default=dict)

    class Meta:
        app_label = "peer"
        indexes: ClassVar = [models.Index(fields=["owner", "id"], name="e1")]


class Alarm(models.Model):
    owner = models.IntegerField(default=1)
    event = models.ForeignKey(Event, on_delete=models.CASCADE)
    alarm_phonenumber = models.CharField(max_length=50)
    method = models.IntegerField(default=1)
    advance_notice = models.IntegerField(default=0)
    maxretry = models.IntegerField(default=0)
    retry_delay = models.IntegerField(default=0)
    due = models.DateTimeField(null=True)
    status = models.IntegerField(default=1)

    class Meta:
        app_label = "peer"
        indexes: ClassVar = [
            models.Index(fields=["owner", "id"], name="a1"),
            models.Index(fields=["status", "due"], name="a2"),
        ]


class EventSerializer(serializers.HyperlinkedModelSerializer):
    class Meta:
        model = Event
        fields: ClassVar = ["url", "title", "start", "end", "calendar", "creator", "status", "data"]


class AlarmSerializer(serializers.HyperlinkedModelSerializer):
    class Meta:
        model = Alarm
        fields: ClassVar = [
            "url",
            "event",
            "alarm_phonenumber",
            "method",
            "advance_notice",
            "maxretry",
            "retry_delay",
            "due",
        ]
        read_only_fields: ClassVar = ["due"]

    def create(self, validated_data: dict[str, Any]) -> Alarm:
        due = validated_data["event"].start
        alarm: Alarm = super().create({**validated_data, "due": due})
        return alarm


class Events(viewsets.ModelViewSet):
    queryset, serializer_class = Event.objects.all(), EventSerializer


class Alarms(viewsets.ModelViewSet):
    queryset, serializer_class = Alarm.objects.all(), AlarmSerializer


router = routers.SimpleRouter()
router.register("event", Events)
router.register("alarm", Alarms)
urlpatterns = [path("healthz", lambda request: HttpResponse()), path("", include(router.urls))]
if __name__ == "__main__":
    with connection.schema_editor() as editor:
        editor.create_model(Event)
        editor.create_model(Alarm)
    connection.close()
    from django.core.wsgi import get_wsgi_application
    from gunicorn.app.base import BaseApplication

    class App(BaseApplication):
        def load_config(self) -> None:
            for key, value in {
                "bind": f"127.0.0.1:{port}",
                "workers": 1,
                "threads": 8,
                "worker_class": "gthread",
                "keepalive": 30,
                "loglevel": "error",
            }.items():
                self.cfg.set(key, value)

        def load(self) -> Any:
            return get_wsgi_application()

    App().run()
