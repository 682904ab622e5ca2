"""Passwords: stored as argon2id hashes only. They are slow on purpose: keep them off the loop."""

import functools
import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type, hash_secret_raw

_hasher = PasswordHasher()


def hashed(password: str) -> str:
    """Return the hash to store."""
    return _hasher.hash(password)


def matches(password: str, password_hash: str) -> bool:
    """Return whether the hash belongs to this password."""
    try:
        return _hasher.verify(password_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@functools.cache
def nobodys() -> str:
    """Return the hash of a secret password. Passwords of unknown users are checked against it."""
    return hashed(secrets.token_hex(32))


def fingerprint(data: bytes, salt: bytes) -> str:
    """Return 64 hex digits that identify `data` and are as costly to guess as a hash.

    Unlike a hash they are the same each time for the same salt. For data that may hold a password.
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
