"""Reading form bodies."""

from __future__ import annotations

from email.parser import BytesParser
from email.policy import HTTP


def form_fields(content_type: str, body: bytes) -> dict[str, bytes | tuple[str, str, bytes]]:
    """Fields of a multipart body; a file is (file name, media type, content)."""
    message = BytesParser(policy=HTTP).parsebytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body
    )
    fields: dict[str, bytes | tuple[str, str, bytes]] = {}
    for part in message.iter_parts():  # type: ignore[attr-defined]
        name = part.get_param("name", header="content-disposition")
        assert name not in fields, f"{name} stands twice in the form"
        content = part.get_payload(decode=True)
        file_name = part.get_filename()
        fields[name] = (
            content if file_name is None else (file_name, part.get_content_type(), content)
        )
    return fields
