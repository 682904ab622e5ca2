"""Rendering ahead: what an alarm will say is rendered before it is due; its call leaves at once.

Only a head start. What is not ready when the call is placed, or was edited since, is rendered then.
"""

import logging
from datetime import datetime, timedelta

from telealarm.clock import utcnow
from telealarm.errors import SpeechError
from telealarm.store.engine.database import Database
from telealarm.store.engine.loop import run_stage
from telealarm.store.survey import upcoming
from telealarm.survey.session import SurveyRunner

log = logging.getLogger(__name__)

# How far ahead, and how many alarms are looked at in one go.
AHEAD = timedelta(seconds=60)
CROWD = 1000


class PromptPrefetch:
    def __init__(self, db: Database, survey: SurveyRunner) -> None:
        self._db = db
        self._survey = survey
        # The alarms that were seen to, by id, with their due time.
        self._done: dict[int, datetime] = {}

    async def run(self) -> None:
        """Render ahead for ever, one prompt at a time."""
        await run_stage(self._db, "ahead", self.step, log)

    async def step(self) -> datetime | None:
        """Render for the next alarms; returns when there is more to do."""
        now = utcnow()
        self._done = {row: due for row, due in self._done.items() if due > now}
        found = await self._db.read(upcoming.alarms, now, now + AHEAD, CROWD)
        for alarm_id, due in found:
            if self._done.get(alarm_id) == due or due <= utcnow():
                continue
            self._done[alarm_id] = due
            script = await self._db.read(upcoming.script, alarm_id)
            if script is not None:
                try:
                    await self._survey.render(script)
                except SpeechError as error:
                    # Told to the alarm's timeline when its call is placed.
                    log.debug("alarm %d: %s", alarm_id, error)
        return now if len(found) == CROWD and len(self._done) < CROWD else None
