"""Uploads: every form of a file, names and boundaries that nobody can misuse, memory, progress,
retries; sync and async.
"""

from __future__ import annotations

import contextlib
import email.parser
import email.policy
import io
import os
import socket
import tempfile
import threading
from array import array
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from aiohttp.web import FileField
from multidict import CIMultiDict
from starlette.datastructures import Headers, UploadFile

from coze_runtime.serialization.upload import CHUNK_SIZE
from coze_runtime.types import UploadProgress
from cozekit import ArgumentError, AsyncCoze, RateLimitError
from cozekit.errors import APIConnectionError, InvalidRequestError, ServerError
from cozekit_emulator import Emulator
from tests.each import each
from tests.overlays.chunk_server import ChunkServer, Request, reply
from tests.overlays.either import NOW, client, coze, each_kind, local, server
from tests.overlays.wire import each_transport

__all__ = ["coze", "local", "server"]

OK = reply({"code": 0, "data": {"id": "7", "file_name": "x", "bytes": 1}})
CONTENT = bytes(range(256)) * 1500
"""More than two pieces, and every byte."""


def fields(request: Request) -> dict[str, Any]:
    """The form as a parser of e-mails sees it: name → (file name, media type, content)."""
    head = f"Content-Type: {request.headers['content-type']}\r\n\r\n".encode()
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + request.body)
    assert message.is_multipart()
    found = {}
    for part in message.iter_parts():  # type: ignore[attr-defined]  # of EmailMessage
        name = part.get_param("name", header="content-disposition")
        found[name] = (part.get_filename(), part.get_content_type(), part.get_payload(decode=True))
    return found


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "水獭 otter.png"
    path.write_bytes(CONTENT)
    return path


class Slow(io.RawIOBase):
    """A file of unknown length that can be read once."""

    def __init__(self, content: bytes) -> None:
        self._left = io.BytesIO(content)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self._left.read(min(size, 1000))


FORMS: dict[str, Callable[[Path], Any]] = {
    "path": str,
    "Path": lambda path: path,
    "bytes": lambda path: path.read_bytes(),
    "bytearray": lambda path: bytearray(path.read_bytes()),
    "memoryview": lambda path: memoryview(path.read_bytes()),
    "BytesIO": lambda path: io.BytesIO(path.read_bytes()),
    "open file": lambda path: path.open("rb"),
    "unbuffered file": lambda path: path.open("rb", buffering=0),
    "stream": lambda path: Slow(path.read_bytes()),
    "name and bytes": lambda path: (path.name, path.read_bytes()),
    "name and Path": lambda path: (path.name, path),
    "name and open file": lambda path: (path.name, path.open("rb")),
    "name, bytes and type": lambda path: (path.name, path.read_bytes(), "image/png"),
    "tracked": lambda path: UploadProgress(path, lambda sent, total: None),
}


@each_kind
@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_file_arrives_whole_and_with_an_extension(
    kind: str, form: str, picture: Path
) -> None:
    file = FORMS[form](picture)
    with ChunkServer(OK) as http, client(kind, http.url) as coze:
        assert coze.files.upload(file=file).id == "7"
    inner = file[1] if isinstance(file, tuple) else file
    if isinstance(inner, io.IOBase):
        assert not inner.closed  # what the caller opened, the caller closes
        inner.close()
    found = fields(http.requests[0])
    name, media_type, content = found.pop("file")
    assert found == {}
    assert content == CONTENT
    assert "." in name
    if form not in ("bytes", "bytearray", "memoryview", "BytesIO", "stream"):
        assert name == "水獭 otter.png"
        assert media_type == "image/png"


@pytest.mark.parametrize("tracked", [False, True], ids=["plain", "tracked"])
async def test_an_async_file_arrives_whole(picture: Path, tracked: bool) -> None:
    seen: list[Any] = []
    with ChunkServer(OK) as http:
        async with (
            AsyncCoze("t", base_url=http.url) as coze,
            await anyio.open_file(picture, "rb") as file,
        ):
            await coze.files.upload(
                file=UploadProgress(file, lambda *step: seen.append(step)) if tracked else file
            )
    assert fields(http.requests[0])["file"] == ("水獭 otter.png", "image/png", CONTENT)
    assert http.requests[0].headers["content-length"]
    assert not tracked or seen[-1] == (len(CONTENT), len(CONTENT))


async def test_an_async_file_is_sent_from_where_it_stands_and_again_from_there(
    picture: Path,
) -> None:
    with ChunkServer(reply({"code": 4009, "msg": "busy"}, 429), OK) as http:
        async with (
            AsyncCoze("t", base_url=http.url, max_retries=NOW) as coze,
            await anyio.open_file(picture, "rb") as file,
        ):
            await file.seek(100)
            await coze.files.upload(file=file)
    assert [fields(request)["file"][2] for request in http.requests] == [CONTENT[100:]] * 2


class Trickle:
    """An async file that can neither tell its length nor go back."""

    def __init__(self, content: bytes) -> None:
        self._left = io.BytesIO(content)

    async def read(self, size: int) -> bytes:
        await anyio.lowlevel.checkpoint()
        return self._left.read(size)


async def test_an_async_stream_of_unknown_length_is_sent_in_chunks_and_never_twice() -> None:
    busy = reply({"code": 4009, "msg": "busy"}, 429)
    with ChunkServer(busy) as http:
        async with AsyncCoze("t", base_url=http.url, max_retries=NOW) as coze:
            with pytest.raises(RateLimitError):
                await coze.files.upload(file=("x.txt", Trickle(CONTENT)))
    assert len(http.requests) == 1
    assert http.requests[0].headers["transfer-encoding"] == "chunked"
    assert fields(http.requests[0])["file"][2] == CONTENT


@each_kind
def test_an_open_file_is_sent_from_where_it_stands(kind: str, picture: Path) -> None:
    with ChunkServer(OK) as http, client(kind, http.url) as coze, picture.open("rb") as file:
        file.seek(1000)
        coze.files.upload(file=file)
    assert fields(http.requests[0])["file"][2] == CONTENT[1000:]


@each_kind
def test_an_empty_file_is_sent_as_such(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "empty.txt"
    path.touch()
    steps: list[Any] = []
    with ChunkServer(OK) as http, client(kind, http.url) as coze:
        coze.files.upload(file=path, on_progress=lambda *step: steps.append(step))
    assert fields(http.requests[0])["file"] == ("empty.txt", "text/plain", b"")
    assert steps == [(0, 0)]


# ---- names


@pytest.mark.parametrize(
    ("file", "name"),
    [
        (b"\x89PNG\r\n", "upload.png"),
        (b"\xff\xd8\xff\xe0", "upload.jpg"),
        (b"%PDF-1.7", "upload.pdf"),
        (b"RIFF\0\0\0\0WAVEfmt ", "upload.wav"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "upload.webp"),
        (b"\0\0\0\x18ftypmp42", "upload.mp4"),
        (b"who knows", "upload.bin"),
        (b"", "upload.bin"),
        (io.BytesIO(b"GIF89a"), "upload.gif"),
        (("", b"%PDF"), "upload.pdf"),
        (("", b"?", "image/png; q=1"), "upload.png"),
    ],
)
def test_a_file_without_a_name_gets_one_with_an_extension(file: Any, name: str) -> None:
    with ChunkServer(OK) as http, client("sync", http.url) as coze:
        coze.files.upload(file=file)
    assert fields(http.requests[0])["file"][0] == name


@pytest.mark.parametrize(
    ("file", "name", "media_type"),
    [
        (("README", b"?"), "README", "application/octet-stream"),
        (("photo", b"\x89PNG"), "photo", "image/png"),
        (("photo", b"?", "image/png"), "photo", "image/png"),
        (("photo.", b"\x89PNG"), "photo.", "image/png"),
        ((".env", b"?"), ".env", "application/octet-stream"),
        (("cat.of.mine", b"%PDF"), "cat.of.mine", "application/pdf"),
        (("C:\\fakepath\\cat.jpg", b"?"), "cat.jpg", "image/jpeg"),
        (("../../etc/passwd.txt", b"?"), "passwd.txt", "text/plain"),
        (("archive.tar.gz", b"?"), "archive.tar.gz", "application/x-tar"),
        (("photo", io.BytesIO(b"\x89PNG")), "photo", "image/png"),
    ],
)
def test_a_name_is_sent_as_it_was_given(file: Any, name: str, media_type: str) -> None:
    with ChunkServer(OK) as http, client("sync", http.url) as coze:
        coze.files.upload(file=file)
    assert fields(http.requests[0])["file"][:2] == (name, media_type)


PNG = b"\x89PNG\r\n\x1a\n" + bytes(50)


class FlaskFile:
    """Like werkzeug's FileStorage: `name` is the field of the form, `filename` that of the file."""

    name = "attachment"

    def __init__(self, filename: str | None, content_type: str | None) -> None:
        self.filename = filename
        self.content_type = content_type
        self.stream = io.BytesIO(PNG)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class DjangoFile:
    """Like django's UploadedFile: `name` is that of the file."""

    def __init__(self, name: str | None, content_type: str | None) -> None:
        self.name = name
        self.content_type = content_type
        self._file = io.BytesIO(PNG)

    @property
    def encoding(self) -> str:
        return self._file.encoding  # type: ignore[attr-defined]  # not there, as in django

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def starlette_file(name: str | None, media_type: str | None) -> Any:
    headers = Headers({"content-type": media_type} if media_type else {})
    return UploadFile(io.BytesIO(PNG), filename=name, headers=headers)


def aiohttp_file(name: str | None, media_type: str | None) -> Any:
    return FileField("attachment", name or "", io.BytesIO(PNG), media_type or "", CIMultiDict())  # type: ignore[arg-type]


def tornado_file(name: str | None, media_type: str | None) -> Any:
    return SimpleNamespace(filename=name, body=PNG, content_type=media_type)


FRAMEWORKS: dict[str, Callable[[str | None, str | None], Any]] = {
    "Flask": FlaskFile,
    "Django": DjangoFile,
    "Starlette": starlette_file,
    "aiohttp": aiohttp_file,
    "Tornado": tornado_file,
}


@each_kind
@pytest.mark.parametrize(
    ("given", "sent"),
    [
        (("cat.png", "image/png"), ("cat.png", "image/png")),
        (("cat.txt", "image/png"), ("cat.txt", "image/png")),
        (("cat.png", "application/octet-stream"), ("cat.png", "image/png")),
        (("cat", "image/jpeg"), ("cat.jpg", "image/jpeg")),
        (("cat", None), ("cat.png", "image/png")),
        ((None, None), ("upload.png", "image/png")),
        (("", "image/gif"), ("upload.gif", "image/gif")),
        (("C:\\cat.png", "x\r\nEvil: 1"), ("cat.png", "image/png")),
    ],
    ids=str,
)
@each("make", FRAMEWORKS)
def test_files_of_frameworks_keep_name_type_and_content(
    kind: str, make: Any, given: tuple[str | None, str | None], sent: tuple[str, str]
) -> None:
    with ChunkServer(OK) as http, client(kind, http.url) as coze:
        coze.files.upload(file=make(*given))
        coze.files.upload(file=("mine.bin", make(*given)))
    assert fields(http.requests[0])["file"] == (*sent, PNG)
    assert fields(http.requests[1])["file"][::2] == ("mine.bin", PNG)


@each_kind
def test_a_file_of_a_framework_is_sent_again_from_where_it_stood(kind: str) -> None:
    file = starlette_file("cat.png", None)
    file.file.seek(4)
    busy = reply({"code": 4009, "msg": "busy"}, 429)
    with ChunkServer(busy, OK) as http, client(kind, http.url) as coze:
        coze.files.upload(file=file)
    assert [fields(request)["file"][2] for request in http.requests] == [PNG[4:]] * 2


def unnamed_pipe(path: Path) -> Any:
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as file:
        file.write(PNG)
    return os.fdopen(reader, "rb")


def spooled(path: Path) -> Any:
    file = tempfile.SpooledTemporaryFile()  # noqa: SIM115  # the test closes it
    file.write(b"skipped" + PNG)
    file.seek(7)
    return file


def rolled(path: Path) -> Any:
    file = spooled(path)
    file.rollover()
    return file


def temporary(path: Path) -> Any:
    file = tempfile.TemporaryFile()  # noqa: SIM115  # the test closes it
    file.write(PNG)
    file.seek(0)
    return file


def without_extension(path: Path) -> Any:
    path = path.with_name("picture")
    path.write_bytes(PNG)
    return path


@each_kind
@pytest.mark.parametrize(
    ("make", "name"),
    [
        (unnamed_pipe, "upload.png"),
        (spooled, "upload.png"),
        (rolled, "upload.png"),
        (temporary, "upload.png"),
        (without_extension, "picture.png"),
    ],
)
def test_a_file_without_an_extension_gets_that_of_its_first_bytes(
    kind: str, make: Callable[[Path], Any], name: str, picture: Path
) -> None:
    file = make(picture)
    with ChunkServer(OK) as http, client(kind, http.url) as coze:
        coze.files.upload(file=file)
    if not isinstance(file, Path):
        file.close()
    assert fields(http.requests[0])["file"] == (name, "image/png", PNG)


async def test_an_async_file_without_an_extension_gets_that_of_its_first_bytes(
    picture: Path,
) -> None:
    path = without_extension(picture)
    with ChunkServer(OK) as http:
        async with (
            AsyncCoze("t", base_url=http.url) as coze,
            await anyio.open_file(path, "rb") as file,
        ):
            await coze.files.upload(file=file)
    assert fields(http.requests[0])["file"] == ("picture.png", "image/png", PNG)


def test_a_file_without_any_hint_keeps_its_name(tmp_path: Path) -> None:
    path = tmp_path / "README"
    path.write_text("plain")
    with ChunkServer(OK) as http, client("sync", http.url) as coze:
        coze.files.upload(file=path)
    assert fields(http.requests[0])["file"] == ("README", "application/octet-stream", b"plain")


def test_a_temporary_file_has_a_number_for_a_name_and_gets_one() -> None:
    with (
        ChunkServer(OK) as http,
        client("sync", http.url) as coze,
        tempfile.TemporaryFile() as file,
    ):
        file.write(b"x")
        file.seek(0)
        coze.files.upload(file=file)
    assert fields(http.requests[0])["file"][0] == "upload.bin"


HOSTILE = [
    'a"; name="voice_id',
    'a.txt"\r\nContent-Disposition: form-data; name="voice_id"\r\n\r\nmine',
    "a\r\n\r\n--b",
    "back\\",
    'back\\"; name="voice_id".txt',
    "nul\0.txt",
    "line\u2028separator.txt",
    "\ud800.txt",
]


@each_kind
@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_file_name_cannot_add_a_field(kind: str, name: str) -> None:
    with (
        ChunkServer(reply({"code": 0, "data": {"voice_id": "v"}})) as http,
        client(kind, http.url) as coze,
    ):
        coze.audio.voices.clone(voice_name="n", file=(name, b"content"), audio_format="wav")
    found = fields(http.requests[0])
    assert set(found) == {"voice_name", "file", "audio_format"}
    assert found["file"][2] == b"content"
    assert http.requests[0].body.count(b"\r\nContent-Disposition: form-data") == 3


@each_kind
def test_hostile_content_cannot_add_a_field(kind: str) -> None:
    with ChunkServer(OK) as http, client(kind, http.url) as coze:
        coze.files.upload(file=("a.bin", b"first"))
        boundary = http.requests[0].headers["content-type"].partition("boundary=")[2]
        part = (
            f"\r\n--{boundary}\r\nContent-Disposition: form-data; "
            f'name="evil"\r\n\r\nyes\r\n--{boundary}--\r\n'
        ).encode()
        coze.files.upload(file=("a.bin", part))
    assert set(fields(http.requests[1])) == {"file"}
    assert fields(http.requests[1])["file"][2] == part


def test_a_hundred_uploads_have_a_hundred_boundaries() -> None:
    with ChunkServer(OK) as http, client("sync", http.url) as coze:
        for _ in range(100):
            coze.files.upload(file=("a.txt", b"x"))
    assert len({request.headers["content-type"] for request in http.requests}) == 100


def test_text_fields_arrive_as_they_are() -> None:
    text = '你好\r\n--boundary "quoted" \\ 😀'
    with (
        ChunkServer(reply({"code": 0, "data": {"voice_id": "v"}})) as http,
        client("sync", http.url) as coze,
    ):
        coze.audio.voices.clone(
            voice_name="n", file=b"x", audio_format="wav", text=text, extra_body={'odd"name': "1"}
        )
    found = fields(http.requests[0])
    assert found["text"][2].decode() == text
    assert found["odd%22name"][2] == b"1"


# ---- what is refused before anything is sent


@each_kind
@pytest.mark.parametrize(
    ("file", "problem"),
    [
        ("/nowhere/a.txt", "there is no file /nowhere/a.txt"),
        ("/", "/ is a folder"),
        (42, "must be a path, bytes, an open binary file"),
        (None, "must be a path"),
        (("a.txt", "/etc/hostname"), "as a tuple must be"),
        (("a.txt",), "as a tuple must be"),
        ((b"x", "a.txt"), "as a tuple must be"),
        (("a.txt", None), "must be a path"),
        (("a.txt", b"x", "text/plain\r\nX-Evil: 1"), "is not a media type"),
        (("a.txt", b"x", "text"), "is not a media type"),
        (("a.txt", b"x", 7), "is not a media type"),
        (io.StringIO("text"), "open for text"),
    ],
)
def test_what_is_no_file_is_refused_before_any_request(kind: str, file: Any, problem: str) -> None:
    with (
        ChunkServer(OK) as http,
        client(kind, http.url) as coze,
        pytest.raises(ArgumentError, match=problem) as caught,
    ):
        coze.files.upload(file=file)
    assert caught.value.argument == "file"
    assert not http.requests


def closed_file(path: Path) -> Any:
    with path.open("rb") as file:
        return file


def closed_bytes(path: Path) -> Any:
    with io.BytesIO(b"x") as file:
        return file


def released_view(path: Path) -> Any:
    with memoryview(b"x") as view:
        return view


@each_kind
@pytest.mark.parametrize("closed", [closed_file, closed_bytes, released_view])
def test_a_closed_file_is_refused_before_any_request(
    kind: str, closed: Callable[[Path], Any], picture: Path
) -> None:
    file = closed(picture)
    with (
        ChunkServer(OK) as http,
        client(kind, http.url) as coze,
        pytest.raises(ArgumentError, match="cannot be read"),
    ):
        coze.files.upload(file=file)
    assert not http.requests


@each_kind
def test_a_file_that_vanishes_before_it_is_sent_is_an_error_of_ours(
    kind: str, picture: Path
) -> None:
    def vanish(sent: int, total: int | None) -> None:
        picture.unlink(missing_ok=True)

    with (
        ChunkServer(OK) as http,
        client(kind, http.url) as coze,
        pytest.raises(ArgumentError, match="cannot be read"),
    ):
        coze.files.upload(file=picture, on_progress=vanish)


@each_kind
def test_a_file_that_becomes_shorter_while_it_is_sent_is_an_error_of_ours(
    kind: str, picture: Path
) -> None:
    def shorten(sent: int, total: int | None) -> None:
        os.truncate(picture, 10)

    with (
        ChunkServer(OK) as http,
        client(kind, http.url) as coze,
        pytest.raises(ArgumentError, match="became shorter"),
    ):
        coze.files.upload(file=picture, on_progress=shorten)


@each_kind
def test_a_file_that_grows_while_it_is_sent_is_sent_as_it_was(kind: str, picture: Path) -> None:
    def grow(sent: int, total: int | None) -> None:
        with picture.open("ab") as file:
            file.write(b"more")

    with ChunkServer(OK) as http, client(kind, http.url) as coze:
        coze.files.upload(file=picture, on_progress=grow)
    assert fields(http.requests[0])["file"][2] == CONTENT


def test_the_sync_client_refuses_an_async_file() -> None:
    with (
        ChunkServer(OK) as http,
        client("sync", http.url) as coze,
        pytest.raises(ArgumentError, match="async files need AsyncCoze"),
    ):
        coze.files.upload(file=("a.txt", Trickle(b"x")))
    assert not http.requests


@each_kind
def test_a_file_that_reads_text_is_refused(kind: str) -> None:
    class Text:
        def read(self, size: int) -> str:
            return "text"

    with (
        ChunkServer(OK) as http,
        client(kind, http.url) as coze,
        pytest.raises(ArgumentError, match="the file returned str, not bytes"),
    ):
        coze.files.upload(file=("a.txt", Text()))


# ---- progress and retries


@each_kind
def test_progress_tells_every_piece_and_the_whole(kind: str, picture: Path) -> None:
    steps: list[Any] = []
    with ChunkServer(OK) as http, client(kind, http.url) as coze:
        coze.files.upload(file=picture, on_progress=lambda *step: steps.append(step))
    assert steps == [
        (0, len(CONTENT)),
        *((size, len(CONTENT)) for size in (CHUNK_SIZE, 2 * CHUNK_SIZE)),
        (len(CONTENT), len(CONTENT)),
    ]


@each_kind
def test_progress_of_a_stream_has_no_whole(kind: str) -> None:
    steps: list[Any] = []
    with ChunkServer(OK) as http, client(kind, http.url) as coze:
        coze.files.upload(
            file=("a.bin", Slow(b"x" * 2500)), on_progress=lambda *step: steps.append(step)
        )
    assert steps == [(0, None), (1000, None), (2000, None), (2500, None)]


async def test_an_async_progress_function_is_awaited(picture: Path) -> None:
    steps = []

    async def tell(sent: int, total: int | None) -> None:
        await anyio.lowlevel.checkpoint()
        steps.append(sent)

    with ChunkServer(OK) as http:
        async with AsyncCoze("t", base_url=http.url) as coze:
            await coze.files.upload(file=picture, on_progress=tell)
    assert steps[-1] == len(CONTENT)


@each_kind
def test_an_exception_of_the_progress_function_stops_the_upload(kind: str, picture: Path) -> None:
    def stop(sent: int, total: int | None) -> None:
        raise ZeroDivisionError

    with ChunkServer(OK) as http, client(kind, http.url) as coze, pytest.raises(ZeroDivisionError):
        coze.files.upload(file=picture, on_progress=stop)


@each_kind
@pytest.mark.parametrize("form", [form for form in FORMS if form != "stream"])
def test_a_repeated_upload_sends_the_same_again(kind: str, form: str, picture: Path) -> None:
    file = FORMS[form](picture)
    with (
        ChunkServer(reply({"code": 4009, "msg": "busy"}, 429), OK) as http,
        client(kind, http.url) as coze,
    ):
        coze.files.upload(file=file)
    inner = file[1] if isinstance(file, tuple) else file
    if isinstance(inner, io.IOBase):
        inner.close()
    assert [fields(request)["file"][2] for request in http.requests] == [CONTENT] * 2


@each_kind
def test_a_stream_that_cannot_go_back_is_not_repeated(kind: str) -> None:
    with (
        ChunkServer(reply({"code": 4009, "msg": "busy"}, 429)) as http,
        client(kind, http.url) as coze,
        pytest.raises(RateLimitError),
    ):
        coze.files.upload(file=("a.bin", Slow(b"x" * 5000)))
    assert len(http.requests) == 1


@each_kind
def test_progress_begins_anew_when_an_upload_is_repeated(kind: str, picture: Path) -> None:
    sent: list[int] = []
    with (
        ChunkServer(reply({"code": 4009, "msg": "busy"}, 429), OK) as http,
        client(kind, http.url) as coze,
    ):
        coze.files.upload(file=picture, on_progress=lambda done, total: sent.append(done))
    assert sent.count(0) == 2
    assert sent.count(len(CONTENT)) == 2


@each_kind
def test_an_upload_whose_answer_is_an_error_is_an_error(kind: str) -> None:
    refused = reply({"code": 4303, "msg": "type"})
    with (
        ChunkServer(refused) as http,
        client(kind, http.url) as coze,
        pytest.raises(InvalidRequestError, match="4303"),
    ):
        coze.files.upload(file=b"x")


def test_the_local_coze_takes_every_upload(coze: Any, local: Emulator, picture: Path) -> None:
    file = coze.files.upload(file=picture)
    assert (file.file_name, file.bytes) == ("水獭 otter.png", len(CONTENT))
    assert coze.files.retrieve(file_id=file.id).bytes == len(CONTENT)
    assert coze.audio.transcriptions.create(file=UploadProgress(picture, lambda *_: None)).text
    local.emulate("status=503", "files_upload")
    with pytest.raises(ServerError):  # it may have been accepted, so it is not sent again
        coze.files.upload(file=picture)


# ---- memory, files, the event loop


def swallow(listener: socket.socket, received: list[int], stop: threading.Event) -> None:
    """Takes requests, counts their bytes and answers each, without keeping them."""
    answer = b'{"code":0,"data":{"id":"7"}}'
    head = (
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
        f"{len(answer)}\r\nConnection: close\r\n\r\n"
    ).encode()
    while not stop.is_set():
        sock, _ = listener.accept()
        with sock:
            text = b""
            while b"\r\n\r\n" not in text:
                text += sock.recv(65536) or stop.set() or b"\r\n\r\n"
            if stop.is_set():
                return
            fields_, _, rest = text.partition(b"\r\n\r\n")
            length = int(fields_.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            count, buffer = len(rest), bytearray(1 << 20)
            while count < length and (size := sock.recv_into(buffer)):
                count += size
            received.append(count)
            sock.sendall(head + answer)


@pytest.fixture
def sink() -> Iterator[tuple[str, list[int]]]:
    received: list[int] = []
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=swallow, args=(listener, received, stop), daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}", received
        stop.set()
        with socket.create_connection(listener.getsockname()):
            pass
        thread.join(10)


def peak_memory() -> int:
    """The most memory that this process has had at once since `reset_peak`, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def reset_peak() -> int:
    Path("/proc/self/clear_refs").write_text("5")
    return peak_memory()


LARGE = 64 << 20
"""Bytes of a large file: more than three times what sending it may take."""


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.mp4"
    with path.open("wb") as file:
        file.truncate(LARGE)  # a hole: takes no space on the disk
    return path


@contextmanager
def less_than_20_megabytes_more() -> Iterator[None]:
    before = reset_peak()
    yield
    growth = peak_memory() - before
    assert growth < 20 << 20, f"{growth / (1 << 20):.1f} MB"


LARGE_FORMS: dict[str, Callable[[Path], Any]] = {
    "path": str,
    "open file": lambda path: path.open("rb"),
    "bytes": lambda path: ("a.mp4", bytes(LARGE)),
    "bytearray": lambda path: ("a.mp4", bytearray(LARGE)),
    "memoryview": lambda path: memoryview(bytes(LARGE)).cast("I"),
}


@pytest.mark.parametrize(
    ("form", "progress"), [*((form, False) for form in LARGE_FORMS), ("path", True)]
)
@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        ("sync", {}),
        ("asyncio", {"transport": "aiohttp"}),
        ("asyncio", {"transport": "httpx"}),
        ("trio", {}),
    ],
    ids=["sync", "aiohttp", "httpx", "trio"],
)
def test_64_megabytes_need_less_than_20_more(
    kind: str,
    settings: dict[str, Any],
    form: str,
    progress: bool,
    sink: tuple[str, list[int]],
    large: Path,
) -> None:
    url, received = sink
    steps: list[Any] = []
    file = LARGE_FORMS[form](large)
    with client(kind, url, **settings) as coze:
        coze.files.upload(file=b"warm up")
        with less_than_20_megabytes_more():
            coze.files.upload(
                file=file, on_progress=(lambda *step: steps.append(step)) if progress else None
            )
    if isinstance(file, io.IOBase):
        file.close()
    assert received[1] > LARGE
    assert steps[-1:] == ([(LARGE, LARGE)] if progress else [])


@each_transport
@pytest.mark.parametrize("progress", [False, True], ids=["plain", "with progress"])
async def test_64_megabytes_of_an_async_file_need_less_than_20_more(
    transport: Any, progress: bool, sink: tuple[str, list[int]], large: Path
) -> None:
    url, received = sink
    steps: list[Any] = []

    async def tell(sent: int, total: int | None) -> None:
        await anyio.lowlevel.checkpoint()
        steps.append((sent, total))

    async with (
        AsyncCoze("t", base_url=url, transport=transport) as coze,
        await anyio.open_file(large, "rb") as file,
    ):
        await coze.files.upload(file=b"warm up")
        with less_than_20_megabytes_more():
            await coze.files.upload(file=file, on_progress=tell if progress else None)
    assert received[1] > LARGE
    assert steps[-1:] == ([(LARGE, LARGE)] if progress else [])


@each_kind
def test_a_bytearray_may_grow_while_it_is_sent_and_is_sent_as_it_was(kind: str) -> None:
    """Whoever looks at its bytes all the time forbids that."""
    content = bytearray(CONTENT)
    with ChunkServer(OK) as http, client(kind, http.url) as coze:
        coze.files.upload(file=("a.bin", content), on_progress=lambda *_: content.extend(b"more"))
    assert fields(http.requests[0])["file"][2] == CONTENT
    assert len(content) > len(CONTENT)


@each_kind
def test_a_bytearray_that_becomes_shorter_while_it_is_sent_is_an_error_of_ours(kind: str) -> None:
    content = bytearray(CONTENT)
    with (
        ChunkServer(OK) as http,
        client(kind, http.url) as coze,
        pytest.raises(ArgumentError, match="became shorter"),
    ):
        coze.files.upload(file=("a.bin", content), on_progress=lambda *_: content.clear())


@each_kind
@pytest.mark.parametrize(
    ("view", "content"),
    [
        (memoryview(b""), b""),
        (memoryview(b"0123456789")[2:8:2], b"246"),
        (memoryview(b"0123456789")[::-1], b"9876543210"),
        (memoryview(b"01234567").cast("I"), b"01234567"),
        (memoryview(b"01234567").cast("B", (2, 4)), b"01234567"),
        (memoryview(array("i")), b""),
    ],
    ids=["empty", "in steps", "backwards", "numbers", "two dimensions", "no numbers"],
)
def test_a_view_of_any_shape_is_sent_as_its_bytes(
    kind: str, view: memoryview, content: bytes
) -> None:
    with ChunkServer(OK) as http, client(kind, http.url) as coze:
        coze.files.upload(file=("a.bin", view))
    assert fields(http.requests[0])["file"][2] == content
    assert http.requests[0].headers["content-length"] == str(len(http.requests[0].body))


def descriptors() -> list[str]:
    """What this process has open."""
    found = []
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # that of the listing itself
            found.append(str(link.readlink()))
    return found


@each_kind
def test_files_of_paths_are_closed_also_after_a_failure(kind: str, picture: Path) -> None:
    with ChunkServer(OK) as http, client(kind, http.url) as coze:
        coze.files.upload(file=picture)
        before = len(descriptors())
        for _ in range(20):
            coze.files.upload(file=picture)
    assert len(descriptors()) <= before
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        client(kind, f"http://127.0.0.1:{listener.getsockname()[1]}") as coze,
    ):
        listener.close()
        with pytest.raises(APIConnectionError):
            coze.files.upload(file=picture)


async def test_slow_files_do_not_block_the_event_loop() -> None:
    """Each read waits until the loop has run on; in the loop itself that would never come."""
    turns = 0
    turned = threading.Event()

    class Waits(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            turned.clear()
            assert turned.wait(10), "the event loop stands still while the file is read"
            return super().read(size)

    async def ticks() -> None:
        nonlocal turns
        while True:
            await anyio.sleep(0.001)
            turns += 1
            turned.set()

    with ChunkServer(OK) as http:
        async with AsyncCoze("t", base_url=http.url) as coze, anyio.create_task_group() as group:
            group.start_soon(ticks)
            await coze.files.upload(file=("a.bin", Waits(CONTENT)))
            group.cancel_scope.cancel()
    assert turns > 2
    assert fields(http.requests[0])["file"][2] == CONTENT


class Watched(io.BytesIO):
    """A file that notes in which thread it works; a compressed one does as much for `seek` as for
    `read`.
    """

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.work: list[tuple[str, int]] = []

    def read(self, size: int | None = -1) -> bytes:
        self.work.append(("read", threading.get_ident()))
        return super().read(size)

    def seek(self, position: int, whence: int = 0) -> int:
        self.work.append(("seek", threading.get_ident()))
        return super().seek(position, whence)


async def test_files_are_read_and_taken_back_outside_of_the_event_loop() -> None:
    file = Watched(CONTENT)
    file.seek(100)
    file.work.clear()
    with ChunkServer(reply({"code": 4009, "msg": "busy"}, 429), OK) as http:
        async with AsyncCoze("t", base_url=http.url, max_retries=NOW) as coze:
            await coze.files.upload(file=("a.bin", file))
    assert [fields(request)["file"][2] for request in http.requests] == [CONTENT[100:]] * 2
    assert {name for name, _ in file.work} == {"read", "seek"}
    assert threading.get_ident() not in {thread for _, thread in file.work}


async def test_a_cancelled_upload_closes_its_file(picture: Path) -> None:
    reached = anyio.Event()

    async def tell(sent: int, total: int | None) -> None:
        if sent:
            reached.set()
            await anyio.sleep_forever()

    with ChunkServer(OK) as http:
        async with AsyncCoze("t", base_url=http.url) as coze, anyio.create_task_group() as group:

            async def upload() -> None:
                await coze.files.upload(file=picture, on_progress=tell)

            group.start_soon(upload)
            await reached.wait()
            assert str(picture) in descriptors()
            group.cancel_scope.cancel()
    assert str(picture) not in descriptors()


def test_the_generated_client_uploads_alone(picture: Path) -> None:
    import coze_openapi

    with ChunkServer(OK) as http, coze_openapi.Client("t", base_url=http.url) as plain:
        plain.files.upload(file=picture)
    assert fields(http.requests[0])["file"] == ("水獭 otter.png", "image/png", CONTENT)


def test_every_upload_of_the_description_is_listed_here() -> None:
    """Each takes the forms above because all are made by the same function."""
    import coze_openapi

    api = Path(coze_openapi.__file__ or "").parent / "api"
    users = sorted(
        f"{path.parent.name}.{path.stem}"
        for path in api.glob("*/*.py")
        if "import part" in path.read_text()
    )
    assert users == [
        "audio_transcriptions.create",
        "audio_voiceprint_groups.speaker_identify",
        "audio_voiceprint_groups_features.create",
        "audio_voiceprint_groups_features.update",
        "audio_voices.clone",
        "files.upload",
    ]
