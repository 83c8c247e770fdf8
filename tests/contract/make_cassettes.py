"""Writes the documented exchanges as vcrpy cassettes: `python -m tests.contract.make_cassettes`.

They are made from `exchanges.json`, not recorded; see `tests/cassettes/recorded/` for recordings.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.contract.exchanges import UPLOAD, Exchange, exchanges

CASSETTES = Path(__file__).parents[1] / "cassettes" / "documented"
BOUNDARY = "exchange"
TYPES = {"json": "application/json", "sse": "text/event-stream", "bytes": "audio/wav"}


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    )


_Dumper.add_representer(str, _text)


def cassette_text(listed: list[Exchange]) -> str:
    """One cassette with the exchanges of an operation."""
    return dump(
        [{"request": _request(exchange), "response": _response(exchange)} for exchange in listed]
    )


def dump(interactions: list[dict[str, Any]]) -> str:
    """The text of a cassette."""
    return yaml.dump(
        {"version": 1, "interactions": interactions},
        Dumper=_Dumper,
        allow_unicode=True,
        sort_keys=False,
        width=140,
    )


def _request(exchange: Exchange) -> dict[str, Any]:
    request = exchange.request
    headers = {**exchange.op.constants}
    body = None
    if "form" in request:
        headers["Content-Type"] = f"multipart/form-data; boundary={BOUNDARY}"
        body = _form(request["form"])
    elif "body" in request:
        headers["Content-Type"] = "application/json"
        body = json.dumps(request["body"], ensure_ascii=False)
    return {
        "method": request["method"],
        "uri": request["url"],
        "body": body,
        "headers": {name: [value] for name, value in sorted(headers.items())},
    }


def _form(fields: dict[str, str]) -> str:
    parts = []
    for name, value in fields.items():
        if value == "<file>":
            file_name, content, kind = UPLOAD
            head = f'name="{name}"; filename="{file_name}"\r\nContent-Type: {kind}'
            value = content.decode()
        else:
            head = f'name="{name}"'
        parts.append(f"--{BOUNDARY}\r\nContent-Disposition: form-data; {head}\r\n\r\n{value}\r\n")
    return "".join(parts) + f"--{BOUNDARY}--\r\n"


def _response(exchange: Exchange) -> dict[str, Any]:
    answer = exchange.answer
    headers = {"X-Tt-Logid": [exchange.logid]}
    if answer["kind"] == "redirect":
        headers["Location"] = [answer["text"]]
        return {
            "status": {"code": 302, "message": "Found"},
            "headers": headers,
            "body": {"string": ""},
        }
    headers["Content-Type"] = [TYPES[answer["kind"]]]
    text = answer["text"] if "text" in answer else json.dumps(answer["value"], ensure_ascii=False)
    return {"status": {"code": 200, "message": "OK"}, "headers": headers, "body": {"string": text}}


def main() -> None:
    CASSETTES.mkdir(parents=True, exist_ok=True)
    for old in CASSETTES.glob("*.yaml"):
        old.unlink()
    for name, listed in exchanges().items():
        (CASSETTES / f"{name}.yaml").write_text(
            cassette_text(listed), encoding="utf-8", newline="\n"
        )
    print(f"{len(exchanges())} cassettes in {CASSETTES}")


if __name__ == "__main__":
    main()
