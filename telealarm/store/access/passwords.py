"""Passwords: kept as argon2id hashes, never as texts. Slow by design, so off the event loop."""

import functools
import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type, hash_secret_raw

_hasher = PasswordHasher()


def hashed(password: str) -> str:
    """The hash to keep."""
    return _hasher.hash(password)


def matches(password: str, password_hash: str) -> bool:
    """Whether the hash was made of this password."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@functools.cache
def nobodys() -> str:
    """The hash of a password that nobody knows, to check those of unknown names against."""
    return hashed(secrets.token_hex(32))


def fingerprint(data: bytes, salt: bytes) -> str:
    """64 hex digits that tell `data` from other data, and cost as much to guess at as a hash.

    Unlike a hash it is the same each time for the same salt. For what may hold a password.
    """
    return hash_secret_raw(
        data,
        hashlib.sha256(salt).digest(),
        time_cost=_hasher.time_cost,
        memory_cost=_hasher.memory_cost,
        parallelism=_hasher.parallelism,
        hash_len=32,
        type=Type.ID,
    ).hex()
