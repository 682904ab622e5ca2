"""/readyz: whether the service can work, and if not, what to change."""

import asyncio
import logging
from contextlib import suppress

from telealarm import doctor
from telealarm.api.public.probes import Health
from telealarm.asterisk.ami import Ami
from telealarm.asterisk.ari import Client
from telealarm.asterisk.ari.errors import AriError
from telealarm.config.model import Config
from telealarm.disk_space import DiskSpace
from telealarm.errors import StorageError
from telealarm.log import Trouble
from telealarm.media_check import PROMPTS, RECORDINGS, SOUNDS, MediaCheck
from telealarm.store.dialing import pauses
from telealarm.store.engine.database import Database
from telealarm.store.feeds import feeds
from telealarm.survey.session import SurveyRunner
from telealarm.survey.tts.speech import Speech
from telealarm.words import TrunkState

log = logging.getLogger(__name__)

# How long what Asterisk plays and records is not tried again: if all is well, and if not.
WELL_SECONDS, ILL_SECONDS = 300.0, 20.0


class HealthChecks:
    """Checks every part that the service needs; call it for the report."""

    def __init__(
        self,
        config: Config,
        db: Database,
        ari: Client,
        ami: Ami | None,
        speech: Speech,
        survey: SurveyRunner,
        media: MediaCheck,
        disks: DiskSpace,
    ) -> None:
        self._config = config
        self._db = db
        self._ari = ari
        self._ami = ami
        self._speech = speech
        self._survey = survey
        self._dialplan: str | None = None
        self._dialplan_trouble = Trouble(log, "dialplan")
        self._database_trouble = Trouble(log, "database")
        self._media_check = media
        self._disks = disks
        self._media: dict[str, str] = {}
        self._connected = asyncio.Event()
        self._troubles = {name: Trouble(log, name) for name in (RECORDINGS, PROMPTS, SOUNDS)}
        ari.on_connected(self.check_dialplan)
        ari.on_connected(self._try_media)

    async def __call__(self) -> Health:
        """Return `ok` for each part, or a sentence that says what to change."""
        checks = {"asterisk": self._ari.trouble or "ok"}
        if self._ami is not None:
            checks["ami"] = self._ami.trouble or "ok"
        if self._ari.connected:
            for name in self._config.asterisk.trunks:
                checks[f"trunk {name}"] = await self._trunk(name)
            if self._dialplan is not None:
                await self.check_dialplan()
            checks["dialplan"] = self._dialplan or "ok"
            checks.update(self._media)
        elif checks["asterisk"] == "ok":
            checks["asterisk"] = "connecting"
        folders = await asyncio.to_thread(self._folders)
        prompts = folders[PROMPTS] or self._survey.trouble
        checks[PROMPTS] = prompts or checks.get(PROMPTS, "ok")
        if folders[RECORDINGS]:
            checks[RECORDINGS] = folders[RECORDINGS]
        remarks = {"speech": self._speech_speaks()}
        # Without them callees hear tones, and everything else works.
        if SOUNDS in checks:
            remarks[SOUNDS] = checks.pop(SOUNDS)
        await self._disks.step()
        remarks["disk"] = "; ".join(self._disks.remarks) or "ok"
        try:
            paused = await self._db.read(pauses.descriptions)
            resume = "; `telealarm dialing resume` lets what waits go"
            remarks["dialing"] = "; ".join(paused) + resume if paused else "ok"
            remarks["feeds"] = "; ".join(await self._db.read(feeds.troubles)) or "ok"
            trouble = self._db.trouble
        except StorageError as error:
            trouble = error
        checks["database"] = str(trouble) if trouble else "ok"
        self._database_trouble.note(str(trouble) if trouble else None)
        return Health(checks, remarks)

    def _folders(self) -> dict[str, str]:
        """Return for each folder why it cannot be used, or nothing. Blocks for a moment."""
        folders = {
            PROMPTS: self._config.prompts.folder,
            RECORDINGS: self._config.recordings.folder,
        }
        return {
            name: doctor.folder(f"{name}.folder", self._config.path(folder)) or ""
            for name, folder in folders.items()
        }

    async def check_dialplan(self) -> None:
        """Check the dialplan: after each connect, and again while something is wrong."""
        try:
            self._dialplan = await doctor.dialplan(self._ari, self._ari.app)
        except AriError as error:
            self._dialplan = f"Asterisk cannot be asked for its dialplan: {error}"
        self._dialplan_trouble.note(self._dialplan)

    async def run(self) -> None:
        """Try what Asterisk plays and records, after each connect and now and then."""
        while True:
            self._connected.clear()
            self._media = await self._media_check() if self._ari.connected else {}
            for name, message in self._media.items():
                self._troubles[name].note(None if message == "ok" else message)
            well = all(message == "ok" for message in self._media.values())
            with suppress(TimeoutError):
                async with asyncio.timeout(WELL_SECONDS if well else ILL_SECONDS):
                    await self._connected.wait()

    async def _try_media(self) -> None:
        self._connected.set()

    async def _trunk(self, name: str) -> str:
        state = self._ami.trunks.get(name) if self._ami else None
        if state is not None and state.state == TrunkState.DOWN:
            return f"down: {state.why}; its calls wait"
        try:
            return await doctor.trunk(self._ari, name) or "ok"
        except AriError as error:
            return str(error)

    def _speech_speaks(self) -> str:
        heard = "until then some callees hear a stock message"
        if missing := ", ".join(self._speech.missing()):
            return f"{missing} not installed; install it, or change speech.engines; {heard}"
        if failing := ", ".join(self._speech.failing()):
            return f"{failing} did not speak the last text; the log says why; {heard}"
        return "ok"
