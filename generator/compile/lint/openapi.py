"""The files and the joined document as plain OpenAPI, as openapi-spec-validator judges them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from openapi_spec_validator import OpenAPIV31SpecValidator

from ...yaml_files import YamlFile, text_keys
from ..bundle import Bundle
from .place import Place


def lint_openapi(bundle: Bundle, spec: Path) -> Iterator[str]:
    """Messages for whatever is not valid OpenAPI 3.1.

    Args:
        bundle: The description.
        spec: Its folder, where references between files lead.
    """
    for name, file in bundle.files.items():
        yield from _problems(file, (spec / name).resolve().as_uri())
    yield from _problems(YamlFile("generated/openapi.yaml", bundle.document), "")


def _problems(file: YamlFile, address: str) -> Iterator[str]:
    for error in OpenAPIV31SpecValidator(text_keys(file.content), base_uri=address).iter_errors():
        yield Place(file, tuple(error.absolute_path)).says(
            f"not valid OpenAPI: {error.message}; fix it"
        )
