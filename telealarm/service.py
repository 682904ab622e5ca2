"""The composition root: builds, starts and drains all parts. `telealarm serve` runs it."""

import asyncio
import errno
import gc
import logging
import signal
from collections.abc import Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from functools import partial

from telealarm import metrics
from telealarm.api.app import make_app
from telealarm.api.core.addresses import Proxies
from telealarm.api.server import ApiServer
from telealarm.api.wakeup_booking import WakeupBooking
from telealarm.asterisk import cdr
from telealarm.asterisk.agi import Agi
from telealarm.asterisk.ami import Ami, TrunkStatus
from telealarm.asterisk.ari import AriEvent, Client
from telealarm.asterisk.ari.errors import AriError
from telealarm.asterisk.dialplan import APOLOGY, CONTEXT
from telealarm.clock import utcnow
from telealarm.config.model import Config
from telealarm.dialing.call import CallServices
from telealarm.dialing.dispatcher import CallDispatcher
from telealarm.dialing.lease_keeper import LeaseKeeper
from telealarm.disk_space import DiskSpace
from telealarm.errors import ConfigError, StorageError, TeleAlarmError
from telealarm.fastagi_handlers import CALENDAR, FastAgiHandlers
from telealarm.feeds.poller import FeedPoller
from telealarm.health import HealthChecks
from telealarm.media_check import MediaCheck
from telealarm.messaging.dispatcher import MessageDispatcher
from telealarm.messaging.invitation_updater import InvitationUpdater
from telealarm.messaging.transport import MessageTransport, http_session
from telealarm.methods.context import Transports
from telealarm.outcome.settler import Settler
from telealarm.planning.planner import Planner
from telealarm.planning.series import SeriesPlanner
from telealarm.planning.timelines import TimelineFolder
from telealarm.retention.eraser import Eraser
from telealarm.retention.sweeper import RetentionSweeper
from telealarm.rules.url_guard import UrlGuard
from telealarm.store.dialing import trunks, workers
from telealarm.store.dialing.admission import Admission
from telealarm.store.engine import dialect, keys
from telealarm.store.engine.database import Database
from telealarm.store.messages.compose import Composer
from telealarm.store.open import open_database
from telealarm.store.person import erasures
from telealarm.store.survey.voice_messages import VoiceMessages
from telealarm.survey.channel_io import Files
from telealarm.survey.cleanup import Cleanup
from telealarm.survey.inbound.doors import Doors
from telealarm.survey.prefetch import PromptPrefetch
from telealarm.survey.section_context import SessionServices
from telealarm.survey.session import SurveyRunner
from telealarm.survey.tts.prompts import Prompts
from telealarm.survey.tts.speech import Speech
from telealarm.transports.feed import FeedTransport
from telealarm.transports.http import WebhookTransport
from telealarm.webhooks.dispatcher import WebhookDispatcher
from telealarm.words import TrunkState

log = logging.getLogger(__name__)

# How long calls in flight may take to end. The next run adopts the rest.
DRAIN_SECONDS = 20.0
# After so many new objects garbage is looked for; the older ones are part of it each so many times.
GARBAGE = (5_000, 20, 20)
# How long webhook deliveries may take to end. The rest is sent again.
WEBHOOK_SECONDS = 5.0
# How long after a connect the calls in flight are adopted at the latest.
ADOPTED_SECONDS = 10.0


class Service:
    """All parts, connected to each other. `run` ends at a signal or a fatal error."""

    def __init__(self, config: Config, db: Database) -> None:
        self._config = config
        self._db = db
        ari = config.asterisk.ari
        self.ari = Client(
            url=ari.url,
            user=ari.user,
            password=ari.password,
            app=config.worker_name,
            timeout_seconds=ari.timeout_seconds,
        )
        self._speech = Speech(config.speech.engines, config.speech.timeout_seconds)
        self._prompts = Prompts(
            config.path(config.prompts.folder),
            config.prompts_url,
            self._speech,
            key=keys.current(),
            max_bytes=config.prompts.max_megabytes * 1_000_000,
        )
        self.ami: Ami | None = None
        if config.asterisk.ami is not None:
            watched = config.asterisk.trunks
            login = config.asterisk.ami.model_dump()
            self.ami = Ami(**login, trunks=watched, notify=self._keep_trunks)
        self._inbound: set[asyncio.Task[None]] = set()
        self._doors: Doors | None = None

    async def run(self) -> None:
        """Serve until SIGTERM or SIGINT. Raises ConfigError if the port is in use."""
        lease = timedelta(seconds=self._config.worker.lease_seconds)
        async with AsyncExitStack() as stack:
            self._db.start()
            stack.push_async_callback(self._db.close)
            session_services = SessionServices(
                self._db,
                self.ari,
                self._prompts,
                VoiceMessages(self._config.path(self._config.recordings.folder)),
                files=Files(first=self._config.prompts.url is None),
            )
            survey = SurveyRunner(session_services, wait_seconds=self._config.speech.wait_seconds)
            media = MediaCheck(self.ari, self._prompts, read_files=self._config.prompts.url is None)
            disks = DiskSpace(self._config)
            ready = HealthChecks(
                self._config, self._db, self.ari, self.ami, self._speech, survey, media, disks
            )
            # The port comes first: a second start of the same service must not disturb anything.
            await self._serve_api(ready, stack)
            holder = await self._db.write(workers.enter, self._config.worker_name, utcnow(), lease)
            stack.push_async_callback(self._db.write, workers.leave, holder)
            http = await stack.enter_async_context(http_session())
            mailer = None
            if self._config.smtp.host:
                from telealarm.transports.smtp import SmtpTransport

                mailer = SmtpTransport(self._config.mail_server)
                stack.push_async_callback(mailer.close)
            outbound = MessageTransport(Transports(http, self.ami, mailer, self._config))
            guard = UrlGuard(self._config.webhooks.allow)
            webhooks, sources = WebhookTransport(guard), FeedTransport(guard)
            stack.push_async_callback(webhooks.close)
            stack.push_async_callback(sources.close)
            source = self._cdr_source()
            composer = Composer(self._config)
            dialer = CallDispatcher(
                ari=self.ari,
                holder=holder,
                admission=Admission(holder, composer),
                services=CallServices(
                    db=self._db,
                    prepare=survey.prepare,
                    converse=survey.converse,
                    find_cdr=partial(cdr.find, source) if source else None,
                ),
            )

            async def adopt(names: list[str]) -> None:
                # First the supervisors, then the applications whose events they wait for.
                if self.ari.connected:
                    await dialer.adopt()
                for name in names:
                    self.ari.add_app(name)

            await self._keep_trunks({})
            lease_keeper = LeaseKeeper(self._db, holder, lease, adopt)
            await lease_keeper.take_over()
            wakeups = WakeupBooking(self._config, self._db)
            await self._serve_agi(wakeups, stack)
            self._doors = Doors(
                session_services,
                holder,
                receive=dialer.receive,
                render=survey.render,
                wakeups=wakeups,
            )
            self.ari.on_event("StasisStart", partial(self._on_unknown_channel, dialer))
            log.info(
                "worker %s serves http://%s:%d/rest-api/, database %s",
                holder.name,
                self._config.api.host,
                self._config.api.port,
                dialect.place(self._config),
            )
            settler = Settler(self._db)
            cleanup = Cleanup(session_services, holder)
            sender = MessageDispatcher(self._db, holder, outbound.send)
            webhook_dispatcher = WebhookDispatcher(self._db, holder, webhooks.send)
            person_files = erasures.files_of(self._config)
            eraser = Eraser(self._db, person_files)
            await eraser.restore()
            sweeper = RetentionSweeper(self._db, self._config, person_files.recordings)

            async def drain() -> None:
                await asyncio.gather(
                    dialer.drain(DRAIN_SECONDS), self._wait_for_callers(DRAIN_SECONDS)
                )
                await settler.step()
                await sender.drain()
                await webhook_dispatcher.drain(WEBHOOK_SECONDS)

            keep_what_is_loaded()
            ending = await self._until_ended(
                lease_keeper.run(),
                Planner(self._db).run(),
                SeriesPlanner(self._db).run(),
                TimelineFolder(self._db).run(),
                PromptPrefetch(self._db, survey).run(),
                dialer.run(),
                settler.run(),
                sender.run(),
                InvitationUpdater(self._db, composer).run(),
                webhook_dispatcher.run(),
                FeedPoller(self._config, self._db, holder, sources).run(),
                cleanup.run(),
                eraser.run(),
                sweeper.run(),
                self.ari.run(),
                ready.run(),
                disks.run(),
                *([self.ami.run()] if self.ami else []),
                before_end=drain,
            )
            log.info("ended: %s", ending)

    async def _serve_api(self, ready: HealthChecks, stack: AsyncExitStack) -> None:
        app = make_app(
            self._db,
            self._config,
            readiness=ready,
            prompts=self._config.path(self._config.prompts.folder),
        )
        server = ApiServer(app, Proxies(self._config.api.trusted_proxies))
        stack.push_async_callback(server.stop)
        host, port = self._config.api.host, self._config.api.port
        try:
            await server.start(host, port)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                problem = "is taken; end what listens there, or change api.port"
            else:
                problem = f"cannot be used ({error.strerror}); change api.host or api.port"
            raise ConfigError(f"api: {host}:{port} {problem}") from None

    async def _serve_agi(self, wakeups: WakeupBooking, stack: AsyncExitStack) -> None:
        if self._config.agi is None:
            return
        host, port = self._config.agi.host, self._config.agi.port
        agi = Agi(host, port, FastAgiHandlers(self._db, wakeups).answer, asks=(CALENDAR,))
        stack.push_async_callback(agi.stop)
        try:
            await agi.start()
        except OSError as error:
            raise ConfigError(
                f"agi: {host}:{port} cannot be used ({error.strerror}); end what listens there,"
                " or change agi.port"
            ) from None

    async def _keep_trunks(self, by_name: Mapping[str, TrunkStatus]) -> None:
        """Store the states of the trunks from AMI, in the metrics and in rows."""
        metrics.TRUNKS.clear()
        for name, trunk in by_name.items():
            if trunk.state != TrunkState.UNKNOWN:
                metrics.TRUNKS.labels(name).set(trunk.state == TrunkState.UP)
        states = {name: (trunk.state, trunk.why) for name, trunk in by_name.items()}
        try:
            await self._db.write(trunks.keep, self._config.worker_name, states, utcnow())
        except StorageError as error:
            log.error("the state of the trunks is kept later: %s", error)

    def _cdr_source(self) -> str | None:
        source = self._config.asterisk.cdr
        if source is None or "://" in source:
            return source
        return str(self._config.path(source))

    def _on_unknown_channel(self, dialer: CallDispatcher, event: AriEvent) -> None:
        """Handle a channel in our Stasis application that has no supervisor (yet)."""
        if event.channel_id is not None:
            channel_id = event.channel_id
            task = asyncio.create_task(self._enter_door(dialer, channel_id, event))
            self._inbound.add(task)
            task.add_done_callback(self._inbound.discard)

    async def _wait_for_callers(self, seconds: float) -> None:
        """Give inbound callers some `seconds` to finish."""
        if self._inbound:
            log.info("waiting for %d callers at the doors", len(self._inbound))
            await asyncio.wait(self._inbound, timeout=seconds)

    async def _enter_door(self, dialer: CallDispatcher, channel_id: str, event: AriEvent) -> None:
        """Let an inbound door answer the channel. Other channels hear the apology."""
        if self._doors is None or not await self._doors.enter(event):
            await self._apologise(dialer, channel_id)

    async def _apologise(self, dialer: CallDispatcher, channel_id: str) -> None:
        """Play the apology to a channel that is not adopted, so that nobody waits in silence."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ADOPTED_SECONDS):
                await dialer.reconciled.wait()
        if self.ari.find(channel_id) is not None:
            return  # its supervisor handles it
        log.warning("an unexpected channel hears the apology", extra={"channel": channel_id})
        channel = self.ari.open(channel_id)
        try:
            await channel.continue_in_dialplan(context=CONTEXT, extension=APOLOGY)
        except AriError as error:
            log.warning("the apology failed: %s", error, extra={"channel": channel_id})
        finally:
            self.ari.close(channel_id)

    async def _until_ended(
        self,
        *parts: Coroutine[None, None, None],
        before_end: Callable[[], Coroutine[None, None, None]],
    ) -> str:
        """Run the parts until a signal comes or a part fails. Return what ended it.

        At a signal the parts continue until `before_end` is done. A failure is raised.
        """
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ended.set)
        tasks = [asyncio.create_task(part) for part in parts]
        waiting = asyncio.create_task(ended.wait())
        try:
            done, _ = await asyncio.wait([*tasks, waiting], return_when=asyncio.FIRST_COMPLETED)
            log.info("draining")
            await before_end()
            for task in done - {waiting}:
                task.result()
                raise TeleAlarmError(f"{task.get_coro()} ended by itself")
            return "by a signal"
        finally:
            for task in [*tasks, waiting]:
                task.cancel()
            await asyncio.gather(*tasks, waiting, return_exceptions=True)
            for number in (signal.SIGTERM, signal.SIGINT):
                with suppress(ValueError):
                    loop.remove_signal_handler(number)


def keep_what_is_loaded() -> None:
    """Look for garbage among what is made from now on alone, and less often than by default."""
    gc.freeze()
    gc.set_threshold(*GARBAGE)
    gc.enable()


async def serve(config: Config) -> None:
    """Run the service. Raises TeleAlarmError with a sentence that says what to change."""
    db = await asyncio.to_thread(open_database, config)
    await Service(config, db).run()
