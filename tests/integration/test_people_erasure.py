"""One person is exported and erased; who shares the number stays as they are."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.models import (
    ALL,
    Alarm,
    AlarmRequest,
    CallRequest,
    Erasure,
    Person,
    PersonTerm,
    Survey,
)
from telealarm.store import audit
from telealarm.store.person import collect, erasures
from telealarm.store.person.erasures import PersonFiles
from telealarm.store.person.ledger import Ledger
from telealarm.words import AlarmStatus, CallStatus
from tests.integration.api_client import Api, Clinic, clinic, id_of
from tests.integration.test_people import visit

SHARED, OWN = "+34600100777", "+34600100778"


@pytest.fixture
def files(config: Config, tmp_path: Path) -> PersonFiles:
    found = erasures.files_of(config)
    ledger = Ledger(tmp_path / "erasures")
    return PersonFiles(found.recordings, tmp_path / "prompts", ledger)


async def erased(api: Api, person: str, files: PersonFiles) -> bool:
    reply = await api.post(f"{person}erase/", {"confirm": True})
    assert reply.status == 200, reply.text
    key = id_of(reply.body["url"])
    return await asyncio.to_thread(erasures.carry_out, api.db, key, files)


async def family(api: Api, made: Clinic) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """A family of three with one number: of each the person, an event and its alarm."""
    found = {}
    for first, more in (("Zebulon", [OWN]), ("Hermione", []), ("Ottokar", [])):
        body = {"name": f"{first} Quagmire", "numbers": [SHARED, *more], "notes": f"of {first}"}
        link = (await api.made("person/", body))["url"]
        event, alarm = await visit(api, made, link)
        await api.patch(event, {"title": f"{first} Quagmire", "data": {"about": f"{first}'s back"}})
        found[first] = link, event, alarm
    return found


async def texts(api: Api) -> str:
    def read() -> str:
        return str(
            [row.__data__ for model in ALL if model is not Erasure for row in model.select()]
        )

    return await api.db.read(read)


async def test_one_of_a_family_is_erased(api: Api, files: PersonFiles) -> None:
    made = await clinic(api)
    people = await family(api, made)
    zebulon, _, alarm = people["Zebulon"]
    # An event of nobody, to the number that is Zebulon's own, and one to the family's number.
    bare = {"title": "Recall", "calendar": made.calendar, "start": "2040-01-09 10:00"}
    own = (await api.made("event/", {**bare, "data": {"name": "Zebulon Quagmire"}}))["url"]
    loose = (await api.made("event/", {**bare, "title": "Family"}))["url"]
    await api.made("alarm/", {"event": own, "alarm_phonenumber": OWN})
    kept = await api.made("alarm/", {"event": loose, "alarm_phonenumber": SHARED})
    document = (await api.get(f"{zebulon}export/")).body
    assert [row["name"] for row in document["rows"]["person"]] == ["Zebulon Quagmire"]
    assert [row["id"] for row in document["rows"]["alarm"]] == [id_of(alarm["url"]), 4]
    assert "Hermione" not in str(document)
    assert (await api.post(f"{zebulon}erase/", {})).body.keys() == {"confirm"}
    assert await erased(api, zebulon, files)
    assert (await api.get(zebulon)).status == 404
    everything = await texts(api)
    assert "zebulon" not in everything.lower() and OWN not in everything
    gone = (await api.get(alarm["url"])).body
    assert (gone["alarm_phonenumber"], gone["status"], gone["status_reason"]) == ("", 7, "erased")
    for first in ("Hermione", "Ottokar"):
        link, event, mine = people[first]
        assert (await api.get(link)).body["numbers"] == [SHARED]
        assert (await api.get(event)).body["title"] == f"{first} Quagmire"
        assert (await api.get(mine["url"])).body == mine
    assert (await api.get(kept["url"])).body["alarm_phonenumber"] == SHARED
    order = await api.db.read(lambda: Erasure.get())
    assert (order.number, order.numbers, order.words) == ("", None, [])
    assert (await api.get("person/?search=zebulon")).body["count"] == 0


async def test_a_restored_backup_has_only_that_one_erased_again(
    api: Api, files: PersonFiles
) -> None:
    people = await family(api, await clinic(api))
    files.ledger.add(
        [erasures.Entry("u1", 2, (), "2026-01-01T00:00:00+00:00", id_of(people["Ottokar"][0]))]
    )
    assert await asyncio.to_thread(erasures.reapply, api.db, files) == 1
    assert "ottokar" not in (await texts(api)).lower()
    assert (await api.get(people["Hermione"][2]["url"])).body == people["Hermione"][2]


async def test_a_person_is_erased_in_mid_call(api: Api, files: PersonFiles) -> None:
    made = await clinic(api)
    people = await family(api, made)
    zebulon, _, alarm = people["Zebulon"]

    def ring() -> int:
        row = Alarm.get_by_id(id_of(alarm["url"]))
        Alarm.update(status=AlarmStatus.IN_PROCESS).where(Alarm.id == row.id).execute()
        request = AlarmRequest.create(
            owner=row.owner, alarm=row, date=utcnow(), status=AlarmStatus.IN_PROCESS
        )
        call: CallRequest = CallRequest.create(
            owner=row.owner,
            request=request,
            alarm=row,
            aleg_uuid="ta-1",
            endpoint="PJSIP/1@trunk",
            phone_number=SHARED,
            gateway=id_of(made.gateway),
            survey=Survey.get_by_id(id_of(made.survey)),
            status=CallStatus.CALLING,
            answered=utcnow(),
        )
        return call.id

    call_id = await api.db.write(ring)
    assert not await erased(api, zebulon, files)
    # The call goes on with its number. Nobody sees the person any more.
    assert (await api.get(zebulon)).status == 404
    assert await api.db.read(lambda: CallRequest.get_by_id(call_id).phone_number) == SHARED

    def hang_up() -> None:
        now = utcnow()
        CallRequest.update(ended=now, settled=now, status=CallStatus.SUCCESS).execute()
        AlarmRequest.update(status=AlarmStatus.SUCCESS).execute()
        Alarm.update(status=AlarmStatus.SUCCESS).where(Alarm.called_off.is_null(False)).execute()

    await api.db.write(hang_up)
    order = await api.db.read(lambda: Erasure.get().id)
    assert await asyncio.to_thread(erasures.is_ready, api.db, order)
    assert await asyncio.to_thread(erasures.carry_out, api.db, order, files)
    everything = await texts(api)
    assert "zebulon" not in everything.lower()
    assert await api.db.read(lambda: CallRequest.get_by_id(call_id).phone_number) == ""
    assert await api.db.read(lambda: Person.select().count()) == 2


async def test_who_cared_is_erased(api: Api, files: PersonFiles) -> None:
    made = await clinic(api)
    mother = (await api.made("person/", {"name": "Zoe Quagmire", "numbers": [OWN]}))["url"]
    links = {}
    for name, numbers in (("Child One", [SHARED]), ("Child Two", [])):
        body = {"name": name, "numbers": numbers, "carer": mother, "carer_mode": "instead"}
        child = (await api.made("person/", body))["url"]
        links[name] = (await visit(api, made, child))[1]["url"]
    assert await erased(api, mother, files)
    one, two = [(await api.get(link)).body for link in links.values()]
    assert (one["alarm_phonenumber"], one["status"]) == (SHARED, 1)
    assert (two["status"], two["status_reason"]) == (7, "erased")
    assert OWN not in await texts(api)


async def test_the_number_erases_everybody_behind_it(api: Api, files: PersonFiles) -> None:
    people = await family(api, await clinic(api))
    found = (await api.post("person/find/", {"number": SHARED})).body["people"]
    assert {name for one in found for name in one["names"]} >= {"Ottokar Quagmire"}
    reply = await api.post("person/erase/", {"number": SHARED, "confirm": True})
    key = id_of(reply.body["url"])
    assert await asyncio.to_thread(erasures.carry_out, api.db, key, files)
    assert "quagmire" not in (await texts(api)).lower()
    assert await api.db.read(lambda: (Person.select().count(), PersonTerm.select().count())) == (
        0,
        0,
    )
    assert (await api.get(people["Ottokar"][1])).body["person"] is None


async def test_people_are_collected_from_events(api: Api) -> None:
    made = await clinic(api)

    async def event(title: str, number: str, **data: str) -> str:
        body = {"title": title, "calendar": made.calendar, "start": "2040-01-09 10:00"}
        link: str = (await api.made("event/", {**body, "data": data or None}))["url"]
        await api.made("alarm/", {"event": link, "alarm_phonenumber": number})
        return link

    ann = [await event("Dentist", "+34600100200", name="Ann Example") for _ in range(2)]
    ben = await event("Dentist", "+34600100200", name="ben  EXAMPLE")
    await event("Dentist", "+34600100200")
    titled = await event("Smith, Cy", "+34600100201")
    for number in ("+34600100202", "+34600100203"):
        await event("Dentist", number)
    await event("Two", "+34600100204")
    await event("Three", "+34600100204")

    def owner() -> int:
        return Alarm.get().owner_id

    manager = await api.db.read(owner)

    async def run() -> list[tuple[str, str, int, bool]]:
        proposed = await api.db.read(collect.propose, manager)
        return [(one.name, one.number, len(one.events), bool(one.doubt)) for one in proposed]

    expected = [
        ("Dentist", "+34600100200", 1, True),
        ("Ann Example", "+34600100200", 2, False),
        ("ben  EXAMPLE", "+34600100200", 1, False),
        ("Smith, Cy", "+34600100201", 1, False),
        ("Dentist", "+34600100202", 1, True),
        ("Dentist", "+34600100203", 1, True),
        ("Two", "+34600100204", 2, True),
    ]
    assert await run() == expected
    actor = audit.by_command()
    for one in await api.db.read(collect.propose, manager):
        await api.db.write(collect.carry_out, one, actor, utcnow())
    assert await run() == [one for one in expected if one[3]]
    named = [(await api.get(link)).body["person"] for link in (*ann, ben, titled)]
    assert named[0] == named[1] and len({*named}) == 3 and None not in named
    # From now on the alarms follow.
    await api.patch(named[0], {"numbers": ["+34600100299"]})
    alarm = (await api.get(f"alarm/?event={id_of(ann[0])}")).body["results"][0]
    assert (alarm["follows_person"], alarm["alarm_e164"]) == (True, "+34600100299")
    # A new event of a person who is there already.
    await event("Dentist", "+34600100201", name="Smith, Cy")
    (again,) = [one for one in await api.db.read(collect.propose, manager) if not one.doubt]
    assert again.known == id_of(named[3])
