// With the types of openapi-typescript, and openapi-fetch: this has to compile.
import createClient from "openapi-fetch";
import type { components, paths } from "./paths.d.ts";

type Alarm = components["schemas"]["Alarm"];
type Status = components["schemas"]["AlarmStatus"];

export async function confirmed(origin: string): Promise<Alarm[]> {
  const client = createClient<paths>({ baseUrl: origin });
  const made = await client.POST("/rest-api/alarm/", {
    body: { event: "/rest-api/event/1/", alarm_phonenumber: "+34600100200", method: 1 },
    params: { header: { "Idempotency-Key": "1" } },
  });
  const status: Status | undefined = made.data?.status;
  if (status !== 1) throw new Error(JSON.stringify(made.error));
  const listed = await client.GET("/rest-api/alarm/", { params: { query: { outcome: "confirmed" } } });
  return listed.data?.results ?? [];
}

export async function moved(origin: string): Promise<string | undefined> {
  const client = createClient<paths>({ baseUrl: origin });
  // @ts-expect-error: a title is a text
  await client.PATCH("/rest-api/event/{id}/", { params: { path: { id: 1 } }, body: { title: 1 } });
  const { data } = await client.POST("/rest-api/event/{id}/move_occurrence/", {
    params: { path: { id: 1 } },
    body: { start: "2040-01-09T10:00:00+01:00", to: "2040-01-10T10:00:00+01:00" },
  });
  return data?.start;
}
