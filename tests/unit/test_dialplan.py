"""What the code knows of dialplan/telealarm.conf is what stands there."""

from telealarm.asterisk.dialplan import ENTRY_SECONDS
from tests.lab.asterisk_folder import DIALPLAN


def test_the_time_limit_of_a_channel_that_enters() -> None:
    lines = DIALPLAN.read_text().splitlines()
    (enters,) = [number for number, line in enumerate(lines) if ",Stasis(" in line]
    assert lines[enters - 1].endswith(f",Set(TIMEOUT(absolute)={ENTRY_SECONDS:g})")
