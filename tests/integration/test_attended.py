"""Whether the person came, and the public holidays of a region: fields of events and settings."""

from telealarm.models import Event
from telealarm.planning.series import SeriesPlanner
from tests.integration.api_client import Api, clinic, id_of


async def test_who_came_is_set_found_and_shown_and_changes_no_alarm(api: Api) -> None:
    made = await clinic(api)
    links = []
    for day in (1, 2, 3):
        body = {
            "title": f"Visit {day}",
            "calendar": made.calendar,
            "start": f"2030-01-0{day} 10:00",
        }
        links.append((await api.made("event/", body))["url"])
        await api.made("alarm/", {"event": links[-1], "alarm_phonenumber": "+34600100200"})
    before = (await api.get("alarm/")).body["results"]
    assert (await api.get(links[0])).body["attended"] is None
    await api.patch(links[0], {"attended": True})
    await api.patch(links[1], {"attended": "false"})
    for text, wanted in (
        ("true", links[:1]),
        ("false", links[1:2]),
        ("null", links[2:]),
        ("true,false", links[:2]),
    ):
        rows = (await api.get(f"event/?attended={text}")).body["results"]
        assert [row["url"] for row in rows] == wanted
    assert (await api.get("event/?attended=maybe")).status == 400
    assert (await api.patch(links[0], {"attended": "maybe"})).status == 400
    assert (await api.get("alarm/")).body["results"] == before
    lines = (await api.get("alarm/?format=csv")).text.lstrip("\ufeff").splitlines()
    assert lines[0].startswith("name,local_time,number,answer,note,attended,")
    assert [line.split(",")[5] for line in lines[1:]] == ["came", "did not come", ""]
    await api.patch(links[0], {"attended": None})
    assert (await api.get(links[0])).body["attended"] is None
    entries = (await api.get(f"audit/?object_id={id_of(links[0])}&resource=event")).body["results"]
    assert any("attended" in str(entry) for entry in entries)


async def test_an_occurrence_that_was_attended_follows_its_series(api: Api) -> None:
    made = await clinic(api)
    rules = (await api.get("rule/")).body["results"]
    daily = next(row["url"] for row in rules if row["name"] == "Daily")
    body = {"title": "Dialysis", "calendar": made.calendar, "start": "2030-01-01 10:00"}
    parent = (await api.made("event/", body | {"rule": daily}))["url"]
    await SeriesPlanner(api.db).step()
    await api.patch(parent, {"attended": True})
    child = await api.db.read(lambda: Event.get(Event.parent_event == id_of(parent)).id)
    assert (await api.get(f"event/{child}/")).body["attended"] is None
    await api.patch(f"event/{child}/", {"attended": False})
    await api.patch(parent, {"title": "Therapy"})
    await SeriesPlanner(api.db).step()
    reply = (await api.get(f"event/{child}/")).body
    assert (reply["title"], reply["attended"]) == ("Therapy", False)


async def test_no_alarm_goes_out_on_the_holidays_of_a_region(api: Api) -> None:
    made = await clinic(api)
    (setting,) = (await api.get("calendar-setting/")).body["results"]
    reply = await api.patch(setting["url"], {"holidays_of": "de-by, AT"})
    assert reply.body["holidays_of"] == "DE-BY,AT"
    # Corpus Christi, until the evening of the day after; the recipient is in New York.
    body = {
        "title": "Visit",
        "calendar": made.calendar,
        "start": "2030-06-20T12:00:00Z",
        "end": "2030-06-21T20:00:00Z",
    }
    event = (await api.made("event/", body))["url"]
    for zone in ("Europe/Berlin", "America/New_York"):
        alarm = {"event": event, "alarm_phonenumber": "+34600100200", "timezone": zone}
        await api.made("alarm/", alarm)
    rows = (await api.get("plan/?after=2030-06-20T00:00Z&before=2030-06-21T00:00Z")).body
    assert [(row["action"], row["why"]) for row in rows["results"]] == [
        ("defer", "calling_hours")
    ] * 2
    ends = {row["until"][:16] for row in rows["results"]}
    assert len(ends) == 2  # midnight of either zone
    await api.patch(setting["url"], {"holidays_of": ""})
    rows = (await api.get("plan/?after=2030-06-20T00:00Z&before=2030-06-21T00:00Z")).body
    assert {row["action"] for row in rows["results"]} <= {"call", "skip"}
    for code, words in (("DE-XX", "the regions of DE are"), ("Bavaria", "like DE-BY")):
        reply = await api.patch(setting["url"], {"holidays_of": code})
        assert reply.status == 400 and words in reply.body["holidays_of"][0]
