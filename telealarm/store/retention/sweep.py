"""One batch of the sweep, in one write. Of several workers, one sweeps at a time."""

from collections.abc import Sequence

from telealarm.models import SurveyResult
from telealarm.store.engine import dialect
from telealarm.store.retention.deletion import Files
from telealarm.store.retention.kinds import AgedRows

# The number of PostgreSQL's advisory lock: any fixed number.
_SWEEPING = 7_135_713


def delete(rows: AgedRows, ids: Sequence[int]) -> Files | None:
    """Delete rows and return the names of their files. None: another worker sweeps now."""
    if not dialect.try_lock(SurveyResult._meta.database, _SWEEPING):
        return None
    return rows.delete(ids)
