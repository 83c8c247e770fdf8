"""The defects of the stock templates of openapi-python-client 0.29.1 that design §4 names: each
shows there, and not in our output.

Both packages come from the same tiny description. The stock one is written once by its own command
line, ours by `generator`; each runs in a process of its own and talks to a server on loopback.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from generator.__main__ import main
from tests.generator.golden_files import rendered
from tests.generator.side_by_side import (
    Interpreter,
    Raised,
    Server,
    StockRun,
    generate_stock,
    run_fresh,
    serving,
)
from tests.generator.tiny import Description

STOCK = """
from stock.client import AuthenticatedClient
from stock.api.gadgets import gadgets_retrieve, gadgets_upload
from stock.api.gadgets_runs import gadgets_runs_create, gadgets_runs_retrieve
client = AuthenticatedClient(base_url="{url}", token="pat_secret")
"""
OURS = """
import coze_openapi
client = coze_openapi.Client("pat_secret", base_url="{url}", max_retries=0)
"""


@pytest.fixture(scope="session")
def stock_run(tmp_path_factory: pytest.TempPathFactory) -> StockRun:
    return generate_stock(tmp_path_factory.mktemp("stock"))


@pytest.fixture(scope="session")
def our_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ours")
    for path, data in rendered().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(data)
    return folder


@pytest.fixture(scope="session")
def stock(stock_run: StockRun) -> Iterator[Interpreter]:
    interpreter = Interpreter(stock_run.folder)
    yield interpreter
    interpreter.close()


@pytest.fixture(scope="session")
def ours(our_folder: Path) -> Iterator[Interpreter]:
    interpreter = Interpreter(our_folder)
    yield interpreter
    interpreter.close()


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as found:
        yield found


def test_the_stock_output_is_that_of_the_version_whose_defects_are_known() -> None:
    assert version("openapi-python-client") == "0.29.1"


def test_both_packages_come_from_the_folders_of_this_test(
    stock: Interpreter, ours: Interpreter
) -> None:
    assert Path(stock.run("import stock\nresult = stock.__file__")).is_relative_to(stock.folder)
    assert Path(ours.run("import coze_openapi\nresult = coze_openapi.__file__")).is_relative_to(
        ours.folder
    )


def test_both_packages_read_a_sound_answer(
    server: Server, stock: Interpreter, ours: Interpreter
) -> None:
    gadget = {
        "id": "7001",
        "kind": "lamp",
        "state": 1,
        "maker": {"name": "Ada"},
        "makers": [{"name": "Bob"}],
        "labels": {"room": "hall"},
    }
    server.answer({"code": 0, "msg": "", "data": gadget})
    assert (
        stock.run(
            f'{STOCK.format(url=server.url)}result = gadgets_retrieve.sync("7001", '
            "client=client).data.to_dict()"
        )
        == gadget
    )
    assert (
        ours.run(f'{OURS.format(url=server.url)}result = client.gadgets.retrieve("7001").to_dict()')
        == gadget
    )


# ---- a null, or a value that is newer than the description


@pytest.mark.parametrize(
    ("field", "error"),
    [
        ("maker", "TypeError"),
        ("makers", "TypeError"),
        ("labels", "TypeError"),
        ("kind", "ValueError"),
        ("state", "ValueError"),
    ],
    ids=["object", "list", "map", "text enum", "number enum"],
)
def test_a_null_raises_in_the_stock_output_and_reads_none_in_ours(
    field: str, error: str, server: Server, stock: Interpreter, ours: Interpreter
) -> None:
    server.answer({"code": 0, "data": {"id": "7001", field: None}})
    with pytest.raises(Raised) as caught:
        stock.run(f'{STOCK.format(url=server.url)}gadgets_retrieve.sync("7001", client=client)')
    assert caught.value.kind == error
    code = (
        f'{OURS.format(url=server.url)}gadget = client.gadgets.retrieve("7001")\nresult '
        f"= [gadget.id, gadget.{field}]"
    )
    assert ours.run(code) == ["7001", None]


@pytest.mark.parametrize(("field", "value"), [("kind", "sphere"), ("state", 7)])
def test_an_unknown_enum_value_raises_in_the_stock_output_and_is_kept_in_ours(
    field: str, value: Any, server: Server, stock: Interpreter, ours: Interpreter
) -> None:
    server.answer({"code": 0, "data": {"id": "7001", field: value}})
    with pytest.raises(Raised, match="is not a valid Gadget") as caught:
        stock.run(f'{STOCK.format(url=server.url)}gadgets_retrieve.sync("7001", client=client)')
    assert caught.value.kind == "ValueError"
    code = (
        f"{OURS.format(url=server.url)}found = "
        f'client.gadgets.retrieve("7001").{field}\nresult = [found, found.is_known]'
    )
    assert ours.run(code) == [value, False]


# ---- what one operation loads


LOADED = 'import sys\nresult = sorted(name for name in sys.modules if name.startswith("{prefix}."))'


def test_one_stock_operation_imports_every_model_and_one_of_ours_only_its_own(
    stock_run: StockRun, our_folder: Path, server: Server
) -> None:
    every = sorted(
        f"stock.models.{path.stem}" for path in (stock_run.folder / "stock/models").glob("[!_]*.py")
    )
    assert len(every) > 10
    code = f"import stock.api.gadgets.gadgets_retrieve\n{LOADED.format(prefix='stock.models')}"
    assert run_fresh(stock_run.folder, code) == every

    server.answer({"code": 0, "data": {"id": "7001"}})
    call = f'{OURS.format(url=server.url)}client.gadgets.retrieve("7001")\n'
    assert run_fresh(our_folder, call + LOADED.format(prefix="coze_openapi.models")) == [
        "coze_openapi.models.gadgets"
    ]
    assert run_fresh(our_folder, call + LOADED.format(prefix="coze_openapi.api")) == [
        "coze_openapi.api.gadgets",
        "coze_openapi.api.gadgets.retrieve",
    ]


def test_importing_our_package_loads_none_of_its_modules_and_no_http_library(
    our_folder: Path,
) -> None:
    code = (
        "import "
        f"coze_openapi\n{LOADED.format(prefix='coze_openapi')}\nresult.append('httpx' in "
        "sys.modules)"
    )
    assert run_fresh(our_folder, code) == [False]


# ---- uploads

INJECTION = b'x\r\n--+++\r\nContent-Disposition: form-data; name="admin"\r\n\r\ntrue'


def test_bytes_of_a_file_inject_a_form_field_into_a_stock_upload_and_not_into_ours(
    server: Server, stock: Interpreter, ours: Interpreter
) -> None:
    server.answer({"code": 0, "data": {"id": "7001"}})
    stock.run(
        f"{STOCK.format(url=server.url)}"
        "import io\nfrom stock.types import File\nfrom stock.models import UploadGadgetRequest\n"
        f"body = UploadGadgetRequest(picture=File(payload=io.BytesIO({INJECTION!r}), "
        'file_name="a.png"))\n'
        "gadgets_upload.sync(client=client, body=body)"
    )
    ours.run(
        f'{OURS.format(url=server.url)}client.gadgets.upload(picture=("a.png", {INJECTION!r}))'
    )
    from_stock, from_ours = server.seen
    assert from_stock.headers["content-type"] == "multipart/form-data; boundary=+++"
    assert from_stock.form_fields() == ["picture", "admin"]
    assert from_ours.form_fields() == ["picture"]
    assert INJECTION in from_ours.body


def test_every_one_of_our_uploads_has_a_boundary_of_its_own(
    server: Server, ours: Interpreter
) -> None:
    server.answer({"code": 0, "data": {"id": "7001"}})
    upload = 'client.gadgets.upload(picture=("a.png", b"x"))\n'
    ours.run(f"{OURS.format(url=server.url)}{upload}{upload}")
    first, second = (
        request.headers["content-type"].partition("boundary=")[2] for request in server.seen
    )
    assert len(first) >= 16
    assert first != second


# ---- secrets


def test_repr_of_the_stock_client_prints_the_token_and_that_of_ours_does_not(
    server: Server, stock: Interpreter, ours: Interpreter
) -> None:
    assert "pat_secret" in stock.run(f"{STOCK.format(url=server.url)}result = repr(client)")
    code = (
        f'{OURS.format(url=server.url)}other = coze_openapi.AsyncClient("pat_secret", '
        f'base_url="{server.url}")\n'
    )
    shown = ours.run(
        f"{code}result = [form(made) for form in (repr, str) for made in (client, other)]"
    )
    assert shown == [f"<Client {server.url}>", f"<AsyncClient {server.url}>"] * 2


def test_repr_of_a_stock_model_prints_a_password_and_that_of_ours_does_not(
    server: Server, stock: Interpreter, ours: Interpreter
) -> None:
    server.answer({"code": 0, "data": {"id": "7001", "key": "s3cret"}})
    assert "s3cret" in stock.run(
        f'{STOCK.format(url=server.url)}result = repr(gadgets_retrieve.sync("7001", client=client))'
    )
    assert (
        ours.run(f'{OURS.format(url=server.url)}result = repr(client.gadgets.retrieve("7001"))')
        == "Gadget(id='7001', key=***)"
    )


# ---- answers that say no

OUR_ERROR = """
from coze_runtime.errors import APIError
try:
    {call}
except APIError as error:
    result = [type(error).__name__, error.code, error.http_status]
"""


def test_an_error_envelope_under_http_200_is_a_success_in_the_stock_output_and_an_error_in_ours(
    server: Server, stock: Interpreter, ours: Interpreter
) -> None:
    server.answer({"code": 4200, "msg": "no such gadget"})
    code = (
        f'{STOCK.format(url=server.url)}answer = gadgets_retrieve.sync_detailed("7001", '
        "client=client)\n"
    )
    assert stock.run(
        f"{code}result = [type(answer.parsed).__name__, answer.status_code, answer.parsed.code]"
    ) == [
        "RetrieveGadgetResponse",
        200,
        4200,
    ]
    code = OURS.format(url=server.url) + OUR_ERROR.format(call='client.gadgets.retrieve("7001")')
    assert ours.run(code) == ["NotFoundError", 4200, 200]


def test_http_520_raises_a_value_error_in_the_stock_output_and_a_server_error_in_ours(
    server: Server, stock: Interpreter, ours: Interpreter
) -> None:
    server.answer({"code": 5000, "msg": "the gateway failed"}, status=520)
    with pytest.raises(Raised, match="520 is not a valid HTTPStatus") as caught:
        stock.run(f'{STOCK.format(url=server.url)}gadgets_retrieve.sync("7001", client=client)')
    assert caught.value.kind == "ValueError"
    code = OURS.format(url=server.url) + OUR_ERROR.format(call='client.gadgets.retrieve("7001")')
    assert ours.run(code) == ["ServerError", 5000, 520]


def test_a_failure_without_json_raises_a_json_error_in_the_stock_output_and_a_server_error_in_ours(
    server: Server, stock: Interpreter, ours: Interpreter
) -> None:
    server.answer(b"<h1>Bad gateway</h1>", status=502, kind="text/html")
    with pytest.raises(Raised) as caught:
        stock.run(f'{STOCK.format(url=server.url)}gadgets_retrieve.sync("7001", client=client)')
    assert caught.value.kind == "JSONDecodeError"
    code = OURS.format(url=server.url) + OUR_ERROR.format(call='client.gadgets.retrieve("7001")')
    assert ours.run(code) == ["ServerError", None, 502]


def test_a_refused_call_returns_none_in_the_stock_output_and_raises_in_ours(
    server: Server, stock: Interpreter, ours: Interpreter
) -> None:
    server.answer({"code": 4200, "msg": "no such run"}, status=404)
    code = f"{STOCK.format(url=server.url)}import typing, stock.types\n"
    assert (
        stock.run(
            f'{code}result = gadgets_runs_retrieve.sync_detailed("9001", client=client).parsed'
        )
        is None
    )
    assert (
        stock.run(f'{code}result = str(typing.get_type_hints(stock.types.Response)["parsed"])')
        == "typing.Optional[~T]"
    )
    assert stock.run(
        f'{code}result = str(gadgets_runs_retrieve.sync.__annotations__["return"])'
    ).endswith("RunResponse | None")
    code = OURS.format(url=server.url)
    assert ours.run(code + OUR_ERROR.format(call='client.gadgets.runs.retrieve("9001")')) == [
        "NotFoundError",
        4200,
        404,
    ]


def test_our_methods_and_parsers_promise_the_value_itself(ours: Interpreter) -> None:
    code = (
        "from coze_openapi.resources import GadgetsRuns\nfrom coze_openapi.api.gadgets_runs "
        "import retrieve\n"
        'result = [made.__annotations__["return"] for made in (GadgetsRuns.retrieve, '
        "retrieve.parse)]"
    )
    assert ours.run(code) == ["models.Run", "Run"]


# ---- streams

EVENTS = b'event: run.progress\ndata: {"id": "9001"}\n\nevent: done\ndata: [DONE]\n\n'


def test_an_event_stream_beside_json_vanishes_from_the_stock_output_and_is_a_method_in_ours(
    server: Server, stock: Interpreter, ours: Interpreter
) -> None:
    server.answer(EVENTS, kind="text/event-stream")
    source = (stock.folder / "stock/api/gadgets_runs/gadgets_runs_create.py").read_text(
        encoding="utf-8"
    )
    assert "event-stream" not in source
    body = (
        "from stock.models import CreateRunRequest\nbody = "
        'CreateRunRequest(input_="Hi", stream=True)\n'
    )
    with pytest.raises(Raised) as caught:
        stock.run(
            f'{STOCK.format(url=server.url)}{body}gadgets_runs_create.sync("7001", '
            "client=client, body=body)"
        )
    assert caught.value.kind == "JSONDecodeError"
    code = (
        f'{OURS.format(url=server.url)}with client.gadgets.runs.stream("7001", '
        'input="Hi") as stream:\n'
    )
    assert ours.run(f'{code}    result = b"".join(stream.iter_bytes()).decode()') == EVENTS.decode()
    assert server.seen[-1].body == b'{"input":"Hi","stream":true}'


# ---- what the stock generator loses with exit code 0, and ours refuses


def refusal(
    description: Description, folder: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    """Exit code and text of our command line; nothing is written."""
    spec = description.write(folder)
    code = main(["--spec", str(spec), "--out", str(folder / "out")])
    assert not (folder / "out").exists()
    output = capsys.readouterr()
    return code, output.out + output.err


def test_duplicate_operation_ids_overwrite_silently_in_the_stock_output_and_are_refused_by_ours(
    stock_run: StockRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = [path.name for path in (stock_run.folder / "stock/api/gadgets").glob("*delete*.py")]
    assert found == ["gadgets_delete.py"]
    source = (stock_run.folder / "stock/api/gadgets/gadgets_delete.py").read_text(encoding="utf-8")
    assert ('"/v1/gadget"' in source, '"/v2/gadget"' in source) == (False, True)
    assert "gadgets_delete" not in stock_run.output

    description = Description()
    description.gadgets["paths"]["/v2/gadget"] = copy.deepcopy(
        description.gadgets["paths"]["/v1/gadget"]
    )
    code, output = refusal(description, tmp_path, capsys)
    assert code == 1
    assert "gadgets_delete" in output and "gadgets.yaml" in output and "rename one" in output


def test_colliding_enum_members_vanish_from_the_stock_output_and_are_refused_by_ours(
    stock_run: StockRun, stock: Interpreter, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = (
        "from stock.models import Colour\nresult = {member.name: member.value for member in Colour}"
    )
    assert stock.run(code) == {"DARK_RED": "dark-red"}
    assert "olour" not in stock_run.output

    description = Description()
    values = description.node("GadgetKind")["x-known-values"]
    values |= {"dark_red": "It is dark red.", "dark-red": "It is red and dark."}
    code, output = refusal(description, tmp_path, capsys)
    assert code == 1
    assert (
        "GadgetKind.x-known-values.dark-red: 'dark_red' and 'dark-red' are both DARK_RED; give "
        "one {name: …, description: …}" in output
    )


def test_enum_members_that_would_collide_are_both_there_once_one_has_a_name(tmp_path: Path) -> None:
    description = Description()
    values = description.node("GadgetKind")["x-known-values"]
    values |= {
        "dark_red": "It is dark red.",
        "dark-red": {"name": "red_dark", "description": "It is red and dark."},
    }
    source = description.compile(tmp_path)["coze_openapi/models/gadgets.py"].decode()
    assert ('DARK_RED = "dark_red"' in source, 'RED_DARK = "dark-red"' in source) == (True, True)


def test_an_operation_is_dropped_by_the_stock_generator_with_exit_code_0_and_refused_by_ours(
    stock_run: StockRun, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert stock_run.exit_code == 0
    assert "Endpoint will not be generated" in stock_run.output
    assert not (stock_run.folder / "stock/api/gadgets/gadgets_search.py").exists()

    description = Description()
    description.parameter("gadgets_list", "page_size")["schema"]["default"] = "many"
    code, output = refusal(description, tmp_path, capsys)
    assert code == 1
    assert 'gadgets_list(page_size).schema.default: does not fit the schema: "many"' in output


def test_an_answer_behind_a_file_reference_is_omitted_by_the_stock_generator_and_joined_by_ours(
    stock_run: StockRun,
) -> None:
    source = (stock_run.folder / "stock/api/gadgets/gadgets_clear.py").read_text(encoding="utf-8")
    assert "response_200" not in source
    assert "Remote references" in stock_run.output
    assert "decode(response, Envelope)" in rendered()["coze_openapi/api/gadgets/delete.py"].decode()
