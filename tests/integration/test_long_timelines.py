"""A timeline has a bound: what repeats is taken together, and what matters stays."""

from collections import Counter

from telealarm.clock import utcnow
from telealarm.models import Timeline
from telealarm.planning.timelines import TimelineFolder
from telealarm.store.alarms import folding
from telealarm.words import TimelineWord
from tests.integration.api_client import Api
from tests.integration.stages import Stages


async def test_a_long_timeline_keeps_its_ends_and_counts_the_rest(api: Api) -> None:
    stages = await Stages.build(api.db)
    alarm_id, other = await stages.alarm("100"), await stages.alarm("200")
    folder = TimelineFolder(api.db)
    await folder.step()

    def write(alarm: int, words: list[str]) -> None:
        for first in range(0, len(words), 500):
            Timeline.insert_many(
                {"alarm": alarm, "at": utcnow(), "what": word, "why": f"{first + number}"}
                for number, word in enumerate(words[first : first + 500])
            ).execute()

    def kept(alarm: int) -> list[tuple[str, str]]:
        rows = Timeline.select(Timeline.what, Timeline.why).where(Timeline.alarm == alarm)
        return list(rows.order_by(Timeline.id).tuples().execute())

    edits = [TimelineWord.PAUSED, TimelineWord.RESUMED] * 1500
    story = [TimelineWord.CREATED, *edits[:1500], TimelineWord.RESULT, *edits[1500:]]
    await api.db.write(write, alarm_id, story)
    short = [TimelineWord.KEY] * folding.MOST
    await api.db.write(write, other, short)
    await folder.step()

    found = await api.db.read(kept, alarm_id)
    counts = Counter(what for what, _ in found)
    assert len(found) <= folding.MOST
    assert found[0] == (TimelineWord.CREATED, "0")
    assert (TimelineWord.RESULT, "1501") in found
    # The last ones stay as they were.
    assert [why for _, why in found[-folding.LAST :]] == [
        str(number) for number in range(len(story) - folding.LAST, len(story))
    ]
    total = sum(int(why.split()[0]) for what, why in found if what == TimelineWord.FOLDED)
    assert total + sum(counts.values()) - counts[TimelineWord.FOLDED] == len(story)
    assert any("1" in why and "paused" in why for what, why in found if what == "folded")
    # Of a timeline within the bound nothing is taken.
    assert len(await api.db.read(kept, other)) == folding.MOST

    # It goes on growing, and is folded again; nothing is counted twice.
    await api.db.write(write, alarm_id, edits)
    await folder.step()
    again = await api.db.read(kept, alarm_id)
    assert len(again) <= folding.MOST
    folded = [why for what, why in again if what == TimelineWord.FOLDED]
    total = sum(int(why.split()[0]) for why in folded)
    assert total + len(again) - len(folded) == len(story) + len(edits)
    assert (TimelineWord.RESULT, "1501") in again
    page = await api.get(f"alarm/{alarm_id}/timeline/?page_size=50")
    assert page.body["count"] == len(again)
