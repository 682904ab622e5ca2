"""Passwords: stored as argon2id hashes only, and these encrypted.

They are slow on purpose: keep them off the loop. Without the installation's key, a thief of the
database cannot even begin to guess.
"""

import functools
import hashlib
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import Type, hash_secret_raw

from telealarm.errors import KeyMismatch
from telealarm.store.engine import keys

# The fewest characters of a login's new password.
SHORTEST = 8
_PURPOSE = "password hashes"
_hasher = PasswordHasher()


def hashed(password: str) -> str:
    """Return what to store of a password."""
    return encrypted(_hasher.hash(password))


def encrypted(password_hash: str) -> str:
    """Return a hash as it is stored."""
    return keys.current().encrypt(_PURPOSE, password_hash)


def matches(password: str, stored: str | None) -> bool:
    """Return whether `stored` is of this password. It takes as long if nothing is stored."""
    try:
        password_hash = keys.current().decrypt(_PURPOSE, stored) if stored else _nobodys()
        return _hasher.verify(password_hash, password) and stored is not None
    except (VerificationError, InvalidHashError, KeyMismatch):
        return False


@functools.cache
def _nobodys() -> str:
    """Return the hash of a secret password. Passwords of unknown users are checked against it."""
    return _hasher.hash(secrets.token_hex(32))


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
