"""Renders the prompts of an alarm before it is due, so that its call leaves at once.

This only saves time. Prompts that are not ready, or were edited since, are rendered when the call
is placed.
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

# How far ahead to render, and for how many alarms in one step.
AHEAD = timedelta(seconds=60)
BATCH = 1000
# How long to wait for the prompts of one alarm. Then the next is its turn; what was begun goes on.
EACH_SECONDS = 5.0


class PromptPrefetch:
    """Renders the prompts of the next alarms."""

    def __init__(self, db: Database, survey: SurveyRunner) -> None:
        self._db = db
        self._survey = survey
        # The due times of the alarms that are done, by alarm id.
        self._done: dict[int, datetime] = {}

    async def run(self) -> None:
        """Render ahead until cancelled, one prompt at a time."""
        await run_stage(self._db, "ahead", self.step, log)

    async def step(self) -> datetime | None:
        """Render for the next alarms. Return now if there may be more, else None."""
        now = utcnow()
        self._done = {row: due for row, due in self._done.items() if due > now}
        upcoming_alarms = await self._db.read(upcoming.alarms, now, now + AHEAD, BATCH)
        for alarm_id, due in upcoming_alarms:
            if self._done.get(alarm_id) == due or due <= utcnow():
                continue
            self._done[alarm_id] = due
            script = await self._db.read(upcoming.script, alarm_id)
            if script is not None:
                try:
                    await self._survey.render(script, EACH_SECONDS)
                except SpeechError as error:
                    # The alarm's timeline gets the error when its call is placed.
                    log.debug("alarm %d: %s", alarm_id, error)
        return now if len(upcoming_alarms) == BATCH and len(self._done) < BATCH else None
