"""The installation's key: one file, from which the keys of all purposes are derived.

The file holds 32 random bytes in base64, on one line. Only its owner may read it. It belongs to the
database: without it, the secrets in the database cannot be read.
"""

import base64
import binascii
import hmac
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from telealarm.errors import ConfigError, KeyMismatch

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

KEY_BYTES = 32
# No key file is longer. A wrong path may name a file of any size.
_LONGEST = 1000


class InstallationKey:
    """Derives keys, and encrypts and digests texts with them.

    A purpose is a name that never changes, like "webhook secrets". Each has a key of its own, so
    what was made for one purpose is worth nothing for another.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._derived: dict[str, bytes] = {}
        self._ciphers: dict[str, Fernet] = {}

    def derive(self, purpose: str) -> bytes:
        """Return the 32 bytes of this purpose, by HKDF with SHA-256 (RFC 5869)."""
        if purpose not in self._derived:
            # Without the library, which every service would load for this alone. As long as one
            # digest, the result is the first block.
            extracted = hmac.digest(bytes(KEY_BYTES), self._key, "sha256")
            info = f"telealarm {purpose}".encode()
            self._derived[purpose] = hmac.digest(extracted, info + b"\x01", "sha256")
        return self._derived[purpose]

    def digest(self, purpose: str, data: str | bytes) -> str:
        """Return 64 hex digits that identify `data` for those who have the key (HMAC-SHA-256)."""
        if isinstance(data, str):
            data = data.encode(errors="surrogatepass")
        return hmac.digest(self.derive(purpose), data, "sha256").hex()

    def encrypt(self, purpose: str, text: str) -> str:
        """Return `text` encrypted and authenticated, as ASCII (Fernet)."""
        return self._cipher(purpose).encrypt(text.encode(errors="surrogatepass")).decode()

    def decrypt(self, purpose: str, token: str) -> str:
        """Return the text that `encrypt` got. Raises KeyMismatch if another key made the token."""
        from cryptography.fernet import InvalidToken

        try:
            return self._cipher(purpose).decrypt(token).decode(errors="surrogatepass")
        except InvalidToken:
            raise KeyMismatch from None

    def _cipher(self, purpose: str) -> "Fernet":
        if purpose not in self._ciphers:
            from cryptography.fernet import Fernet

            key = base64.urlsafe_b64encode(self.derive(purpose))
            self._ciphers[purpose] = Fernet(key)
        return self._ciphers[purpose]


def read(path: Path) -> InstallationKey | None:
    """Return the key in the file; None if there is no file.

    Raises ConfigError if others may read the file, if this user cannot, or if it holds no key.
    """
    try:
        with path.open("rb") as file:
            _check_mode(path, os.fstat(file.fileno()))
            content = file.read(_LONGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(
            f"key_file: {path} cannot be read ({error.strerror}); let this user read it,"
            " or name the installation's key file"
        ) from None
    return InstallationKey(_key_in(path, content))


def create(path: Path) -> InstallationKey:
    """Make the file with a new key, and return the key. Raises ConfigError.

    Several processes may do so at once: the first one's file stays, and all get its key.
    """
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _write(draft, base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise ConfigError(
            f"key_file: {path} cannot be made ({error.strerror}); let this user write the folder,"
            " or name another file"
        ) from None
    key = read(path)
    if key is None:
        raise ConfigError(f"key_file: {path} was deleted just after it was made; start again")
    return key


def _check_mode(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise ConfigError(f"key_file: {path} is no file; name the installation's key file")
    # A file that root hands to a service, such as a mounted secret, may be read by its group.
    group_may_read = status.st_uid == 0 != os.geteuid()
    if status.st_mode & (0o037 if group_may_read else 0o077):
        mode = stat.S_IMODE(status.st_mode)
        raise ConfigError(
            f"key_file: others may read or change {path} (its mode is {mode:04o}); run"
            f" `chmod 600 {path}`"
        )


def _key_in(path: Path, content: bytes) -> bytes:
    try:
        text = content.strip().replace(b"+", b"-").replace(b"/", b"_")
        key = base64.b64decode(text, altchars=b"-_", validate=True)
    except binascii.Error:
        key = b""
    if len(key) != KEY_BYTES:
        raise ConfigError(
            f"key_file: {path} holds no key, which is one line of 44 characters: 32 bytes in"
            " base64; put the installation's key file there"
        )
    return key


def _write(path: Path, content: bytes) -> None:
    """Write a new file that only this user may read, and wait until the disk has it."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
