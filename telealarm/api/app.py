"""The application: every route of the API."""

import asyncio
import json
from functools import cache
from pathlib import Path

from aiohttp import web

from telealarm.api.core import cross_site, response_headers
from telealarm.api.core.addresses import Proxies
from telealarm.api.core.auth import Logins
from telealarm.api.core.errors import answer_errors
from telealarm.api.core.links import BASE
from telealarm.api.public import explorer, probes
from telealarm.api.public.inbound_hooks import Hooks
from telealarm.api.public.link_pages import LinkPages
from telealarm.api.resources import (
    alarm_requests,
    alarms,
    audio_files,
    audit,
    branching_templates,
    calendar_feeds,
    calendar_settings,
    calendar_users,
    calendars,
    call_requests,
    dialing,
    dnc_contacts,
    dnc_lists,
    events,
    gateways,
    mail_templates,
    messages,
    people,
    person,
    plan,
    profiles,
    reminder_plans,
    results,
    rules,
    sealed_surveys,
    section_templates,
    sms_gateways,
    sms_templates,
    survey_templates,
    transfers,
    users,
    webhook_deliveries,
    webhooks,
)
from telealarm.api.rest.handlers import Routes
from telealarm.api.rest.idempotency import Once
from telealarm.api.rest.request_reader import RequestReader
from telealarm.api.rest.resource import Resource
from telealarm.api.rest.tasks import Task
from telealarm.config.model import Config
from telealarm.store.engine.database import Database
from telealarm.store.messages.compose import Composer
from telealarm.store.survey.audio_files import AudioFolder

LARGEST_BODY = 1024**2

RESOURCES: tuple[Resource, ...] = (
    users.USERS,
    gateways.GATEWAY,
    sms_gateways.SMS_GATEWAY,
    survey_templates.SURVEY_TEMPLATE,
    section_templates.SECTION_TEMPLATE,
    branching_templates.BRANCHING_TEMPLATE,
    sealed_surveys.SEALED_SURVEY,
    calendar_settings.CALENDAR_SETTING,
    calendar_users.CALENDAR_USER,
    profiles.CALENDAR_USER_PROFILE,
    reminder_plans.REMINDER_PLAN,
    calendars.CALENDAR,
    calendar_feeds.CALENDAR_FEED,
    rules.RULE,
    people.PERSON,
    events.EVENT,
    alarms.ALARM,
    alarm_requests.ALARM_REQUEST,
    call_requests.CALL_REQUEST,
    results.RESULT,
    transfers.TRANSFER,
    sealed_surveys.SURVEY_AGGREGATE,
    audio_files.AUDIO_FILE,
    messages.MESSAGE,
    mail_templates.MAIL_TEMPLATE,
    sms_templates.SMS_TEMPLATE,
    dnc_lists.DNC_LIST,
    dnc_contacts.DNC_CONTACT,
    webhooks.WEBHOOK,
    webhook_deliveries.WEBHOOK_DELIVERY,
    audit.AUDIT,
    person.ERASURE,
)
TASKS: tuple[Task, ...] = (plan.PLAN, plan.LOAD, *dialing.TASKS, *person.TASKS)


def make_app(
    db: Database, config: Config, *, readiness: probes.ReadyCheck, prompts: Path
) -> web.Application:
    """Return the application. Run it on the event loop that `db` was started on.

    /readyz asks `readiness`. `prompts` is the folder of the rendered prompts. It contains the
    folder of the recordings.
    """
    refuse_cross_site = cross_site.guard(config.api.public_url)
    app = web.Application(
        middlewares=[answer_errors, refuse_cross_site], client_max_size=LARGEST_BODY
    )
    app.on_response_prepare.append(response_headers.on_prepare)
    recordings = AudioFolder(prompts)
    proxies = Proxies(config.api.trusted_proxies)
    logins = Logins(db, proxies)
    reader = RequestReader(db, config, recordings, logins, proxies)
    routes = Routes(db, reader, Once(db, logins))
    # The tasks first: `person/find/` is no person.
    for task in TASKS:
        routes.add_task(app, task)
    for resource in RESOURCES:
        routes.add(app, resource)
    names = [resource.name for resource in RESOURCES if resource.listed]

    @cache
    def openapi() -> str:  # written when it is first asked for
        from telealarm.api.openapi import document

        return json.dumps(document.written(RESOURCES, TASKS))

    async def root(request: web.Request) -> web.Response:
        if explorer.is_wanted(request):
            return explorer.page(request)
        return await routes.root(request, names)

    async def described(request: web.Request) -> web.Response:
        return web.json_response(text=await asyncio.to_thread(openapi))

    app.router.add_get("/", explorer.lead)
    app.router.add_route("*", BASE, root)
    app.router.add_get(BASE + "openapi.json", described)
    app.router.add_get(BASE + "explorer/{name}", explorer.file)
    composer = Composer(config)
    Hooks(db, composer).add(app)
    LinkPages(db, composer).add(app)
    app.router.add_get("/healthz", probes.healthz)
    app.router.add_get("/readyz", probes.readyz(readiness, logins))
    app.router.add_get("/metrics", probes.metrics_text)
    sounds = probes.prompts(prompts, recordings)
    app.router.add_get(probes.PROMPTS_PATH, sounds)
    return app
