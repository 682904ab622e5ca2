"""The ids of channels: Asterisk refuses one that the id of a channel that lives begins with."""

from itertools import permutations

from telealarm.store.dialing.calls import channel_id

REQUESTS = [*range(1, 130), 1_000, 999_999, 1_000_000, 9_999_999_999]


def test_no_id_begins_with_another() -> None:
    ids = [channel_id("1a2b3c4d", request) for request in REQUESTS]
    assert len(set(ids)) == len(ids)
    assert not any(one.startswith(other) for one, other in permutations(ids, 2))
