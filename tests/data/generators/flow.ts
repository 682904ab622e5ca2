// With the client of orval: make an event and an alarm, and read them again.
import {
  alarmChange, alarmCreate, alarmList, alarmRead, alarmTimeline, calendarList, eventCreate,
  eventGetListAlarm, eventRead, usersList,
} from "./api";
import type { Alarm, Event } from "./api";

declare const process: { argv: string[] };
const [user, password] = process.argv.slice(2);
const login = { headers: { Authorization: "Basic " + btoa(`${user}:${password}`) } };
const id = (link: string): number => Number(link.replace(/\/$/, "").split("/").pop());

async function main(): Promise<void> {
  const calendars = await calendarList({ ordering: "name" }, login);
  if (calendars.status !== 200) throw new Error(JSON.stringify(calendars));
  const calendar = calendars.data.results[0].url;
  const made = await eventCreate({ title: "Visit", calendar, start: "2040-01-09T10:00:00+01:00" }, login);
  if (made.status !== 201) throw new Error(JSON.stringify(made));
  const event: Event = made.data;
  const added = await alarmCreate({ event: event.url, alarm_phonenumber: "+34600100200", method: 1 }, login);
  if (added.status !== 201) throw new Error(JSON.stringify(added));
  const alarm: Alarm = added.data;
  const changed = await alarmChange(id(alarm.url), { maxretry: 2, missed_policy: "run" }, login);
  const read = await alarmRead(id(alarm.url), login);
  const listed = await alarmList({ event: event.url, ordering: "-id", page_size: 10 }, login);
  const timeline = await alarmTimeline(id(alarm.url), undefined, login);
  const only = await eventGetListAlarm(id(event.url), login);
  const forbidden = await usersList(undefined, login);
  const missing = await eventRead(999999, login);
  const wrong = await eventCreate({ title: "", calendar: "999999" }, login);
  console.log(JSON.stringify({
    status: changed.status,
    maxretry: read.status === 200 ? read.data.maxretry : null,
    language: read.status === 200 ? read.data.language : "none",
    listed: listed.status === 200 ? listed.data.count : null,
    timeline: timeline.status === 200 ? timeline.data.results.map((entry) => entry.what) : [],
    only: only.status === 200 && "phonenumber" in only.data ? only.data.phonenumber : null,
    forbidden: forbidden.status === 403 ? forbidden.data.detail : "",
    missing: missing.status,
    wrong: wrong.status === 400 ? Object.keys(wrong.data) : [],
  }));
}

main();
