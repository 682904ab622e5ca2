"""Reads uploads (multipart/form-data) in pieces. Threads write and convert the recording."""

import asyncio
import tempfile
from dataclasses import dataclass
from typing import IO, Any

from aiohttp import BodyPartReader, ClientPayloadError, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from telealarm.api.core import body
from telealarm.api.core.errors import ApiError, Undecodable
from telealarm.api.fields.base import FieldType, Schema
from telealarm.store.engine import keys
from telealarm.store.survey.audio_files import Sound

MIB = 1024**2
LARGEST_FILE = 10 * MIB
LONGEST_SECONDS = 600.0
_LARGEST_TEXT = 64 * 1024
_MOST_PARTS = 20
# The bytes of one write to the disk.
_PIECE = 256 * 1024
# A conversion needs a processor and up to 60 MiB of memory.
_CONVERSIONS_AT_ONCE = 2


@dataclass(frozen=True)
class NoSound:
    """A file that was sent as a recording but cannot be played. `why` is the error."""

    why: str


class Wav(FieldType):
    """A recording that `Uploads` has read."""

    def read(self, value: Any) -> Sound:
        if isinstance(value, NoSound):
            raise ValueError(value.why)
        if not isinstance(value, Sound):
            raise ValueError("must be a wav file")
        return value

    def schema(self) -> Schema:
        return {"type": "string", "format": "binary", "contentMediaType": "audio/wav"}


class Uploads:
    """Reads uploads. It converts at most two at once."""

    def __init__(self) -> None:
        self._gate = asyncio.Semaphore(_CONVERSIONS_AT_ONCE)

    async def read(self, request: web.Request, file_field: str) -> dict[str, Any]:
        """Return the fields that were sent: texts, and `file_field` as a Sound or NoSound.

        Raises ApiError: 415 for another Content-Type, 413 for a file over 10 MiB, 400 for a body
        that ends too early or is not a form.
        """
        body.refuse_packed(request)
        if request.content_type != "multipart/form-data":
            sent = request.headers.get("Content-Type", "none")[:100]
            raise ApiError(
                415, f'Unsupported media type "{sent}" in request; send multipart/form-data.'
            )
        if (request.content_length or 0) > LARGEST_FILE + _MOST_PARTS * _LARGEST_TEXT:
            raise _too_large()
        fields: dict[str, Any] = {}
        try:
            parts = await request.multipart()
            while (part := await parts.next()) is not None:
                if isinstance(part, MultipartReader) or not part.name or len(fields) >= _MOST_PARTS:
                    raise ApiError(400, "Multipart form parse error - a part is not a field")
                if part.name in fields:
                    raise ApiError(
                        400, f"Multipart form parse error - {part.name!r} was sent twice"
                    )
                is_file = part.name == file_field
                fields[part.name] = await (self._sound(part) if is_file else _text(part))
        except web.RequestPayloadError as error:
            raise Undecodable from error
        except (ClientPayloadError, ConnectionError) as error:
            raise ApiError(400, "The body ended too early.") from error
        except (ValueError, AssertionError, RuntimeError, HttpProcessingError) as error:
            raise ApiError(400, "Multipart form parse error - it cannot be read") from error
        return fields

    async def _sound(self, part: BodyPartReader) -> Sound | NoSound:
        file = await asyncio.to_thread(tempfile.TemporaryFile)
        try:
            await _receive(part, file)
            async with self._gate:
                return await asyncio.to_thread(_convert, file)
        finally:
            await asyncio.to_thread(file.close)


async def _text(part: BodyPartReader) -> str:
    text = b""
    while chunk := await part.read_chunk():
        text += chunk
        if len(text) > _LARGEST_TEXT:
            raise ApiError(413, "A field is too large; 64 KiB is the most.")
    return text.decode("utf-8")


async def _receive(part: BodyPartReader, file: IO[bytes]) -> None:
    size, waiting = 0, bytearray()
    while chunk := await part.read_chunk():
        size += len(chunk)
        if size > LARGEST_FILE:
            raise _too_large()
        waiting += chunk
        if len(waiting) >= _PIECE:
            await asyncio.to_thread(file.write, bytes(waiting))
            waiting.clear()
    await asyncio.to_thread(file.write, bytes(waiting))


def _convert(file: IO[bytes]) -> Sound | NoSound:
    file.seek(0)
    try:
        return Sound.of(file.read(), keys.current(), LONGEST_SECONDS)
    except ValueError as error:
        return NoSound(f"must be a wav file that can be played: {error}")


def _too_large() -> ApiError:
    return ApiError(413, f"The file is too large; {LARGEST_FILE // MIB} MiB is the most.")
