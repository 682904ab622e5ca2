"""`telealarm person`: who is behind a number, the export, the erasure."""

import json
from typing import Any

from telealarm.config.model import Config
from telealarm.models import Alarm, Calendar, CalendarUser, Event, User
from telealarm.store.open import open_database
from tests.integration.test_cli_users import command as command


def populate() -> None:
    owner = User.get(User.username == "ann")
    doctor = CalendarUser.create(owner=owner, username="doctor", password_hash="")
    book = Calendar.create(owner=owner, name="book", user=doctor)
    times = {"start": "2030-01-01 10:00:00.000000", "end": "2030-01-01 11:00:00.000000"}
    data = {"name": "Zebulon Quagmire"}
    event = Event.create(
        owner=owner, title="visit", creator=doctor, calendar=book, data=data, **times
    )
    Alarm.create(owner=owner, event=event, alarm_phonenumber="600100777", alarm_e164="+34600100777")


def test_a_person_by_the_command_line(command: Any, config: Config) -> None:
    command("user", "add", "ann", "--password-stdin", stdin="a long secret\n")
    db = open_database(config)
    db.run(populate)
    status, said, _ = command("person", "find", "+34 600 100 777")
    line = "ann\tbook\tZebulon Quagmire\t600100777\t1\t2030-01-01"
    assert (status, said.splitlines()[1:]) == (0, [line])
    assert command("person", "find", "+34600100778")[0] == 1
    status, said, _ = command("person", "export", "0034600100777", "--user", "ann")
    assert (status, json.loads(said)["names"]) == (0, ["Zebulon Quagmire"])
    status, _, error = command("person", "export", "+34600100778")
    assert (status, "nothing is kept" in error) == (1, True)
    # Nobody is asked in a script, and nothing is erased then.
    status, said, error = command("person", "erase", "+34600100777")
    assert (status, line in said, "--yes" in error) == (1, True, True)
    assert db.run(lambda: Alarm.get().alarm_phonenumber) == "600100777"
    status, said, _ = command("person", "erase", "+34600100777", "--yes")
    assert (status, "erasure 1: " in said) == (0, True), said
    assert db.run(lambda: (Alarm.get().alarm_phonenumber, Event.get().data)) == ("", None)
    assert command("person", "reapply")[:2] == (0, "0 erasures were applied again\n")
    status, _, error = command("person", "erase", "abc", "--yes")
    assert (status, "number: " in error) == (1, True)
