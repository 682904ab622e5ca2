"""The key file: made for its owner only, read strictly, and a key of its own for each purpose."""

import base64
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from telealarm.errors import ConfigError, KeyMismatch
from telealarm.installation_key import InstallationKey, create, read

KEY = InstallationKey(bytes(range(32)))


def test_the_file_is_made_once_and_for_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "state" / "telealarm.key"
    assert read(path) is None
    made = create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(path.read_text()) == 45
    again = create(path)
    found = read(path)
    assert found is not None
    assert made.derive("a") == again.derive("a") == found.derive("a")
    assert list(path.parent.iterdir()) == [path]


def test_processes_that_make_it_at_once_get_the_same_key(tmp_path: Path) -> None:
    path = tmp_path / "telealarm.key"
    with ThreadPoolExecutor(8) as pool:
        keys = list(pool.map(lambda _: create(path).derive("a"), range(16)))
    assert len(set(keys)) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_each_purpose_has_a_key_by_hkdf() -> None:
    assert KEY.derive("links") != KEY.derive("prompts")
    assert KEY.derive("links") != InstallationKey(bytes(32)).derive("links")
    hkdf = HKDF(SHA256(), 32, salt=None, info=b"telealarm links")
    assert KEY.derive("links") == hkdf.derive(bytes(range(32)))


def test_what_is_encrypted_is_read_with_the_same_key_and_purpose_only() -> None:
    text = "whsec_ñ\ud800"
    token = KEY.encrypt("webhooks", text)
    assert token.isascii() and text not in token
    assert KEY.decrypt("webhooks", token) == text
    assert KEY.encrypt("webhooks", text) != token
    for key, purpose in ((KEY, "gateways"), (InstallationKey(bytes(32)), "webhooks")):
        with pytest.raises(KeyMismatch, match="key_file"):
            key.decrypt(purpose, token)
    with pytest.raises(KeyMismatch):
        KEY.decrypt("webhooks", "no token")


def of_mode(mode: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        create(path)
        path.chmod(mode)

    return write


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (of_mode(0o644), r"its mode is 0644\); run `chmod 600 .*telealarm\.key`"),
        (of_mode(0o640), "its mode is 0640"),
        (of_mode(0o602), "its mode is 0602"),
        (lambda path: path.mkdir(), "cannot be read"),
        (lambda path: write(path, b""), "holds no key"),
        (lambda path: write(path, b"password\n"), "holds no key"),
        (lambda path: write(path, base64.b64encode(bytes(16))), "32 bytes"),
        (lambda path: write(path, os.urandom(32)), "holds no key"),
        (lambda path: write(path, base64.b64encode(bytes(4000))), "holds no key"),
        (lambda path: path.symlink_to("/dev/null"), "is no file"),
    ],
)
def test_an_unusable_file_is_one_clear_sentence(
    tmp_path: Path, make: Callable[[Path], None], message: str
) -> None:
    path = tmp_path / "telealarm.key"
    make(path)
    with pytest.raises(ConfigError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith("key_file: ")


def write(path: Path, content: bytes) -> None:
    path.touch(0o600)
    path.write_bytes(content)


def test_a_key_by_openssl_is_taken(tmp_path: Path) -> None:
    """`openssl rand -base64 32` writes + and / where Python's urlsafe form has - and _."""
    path = tmp_path / "telealarm.key"
    write(path, base64.b64encode(b"\xfb\xff" * 16) + b"\n")
    key = read(path)
    assert key is not None
    assert key.derive("a") == InstallationKey(b"\xfb\xff" * 16).derive("a")


def test_a_folder_that_cannot_be_written_is_one_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"key_file: .*telealarm\.key cannot be made"):
        create(tmp_path / "file" / "telealarm.key")


def test_a_command_that_needs_no_key_does_not_load_the_library() -> None:
    program = (
        "import sys, telealarm.service, telealarm.cli.main; print('cryptography' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout == "False\n", done.stderr
