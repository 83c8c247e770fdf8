"""Builders of knowledge documents, and filling knowledge bases with them."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from cozekit import documents
from cozekit.errors import ArgumentError
from cozekit.models import ChunkStrategy
from cozekit_emulator import Emulator
from cozekit_emulator.state.ids import WORKSPACE
from tests.overlays.either import coze, local, sent_to, server

__all__ = ["coze", "local", "server"]


def test_a_file_is_sent_as_base64_with_its_name_and_type(tmp_path: Path) -> None:
    path = tmp_path / "Manual 手册.PDF"
    path.write_bytes(b"%PDF-1.7")
    made = documents.from_file(path).to_dict()
    assert made == {
        "name": "Manual 手册.PDF",
        "source_info": {"file_base64": base64.b64encode(b"%PDF-1.7").decode(), "file_type": "pdf"},
    }


def test_bytes_need_a_name_that_tells_the_type() -> None:
    assert documents.from_file(b"x", name="a.txt").source_info.file_type == "txt"
    assert documents.from_file(b"x", name="notes", file_type="txt").name == "notes"
    with pytest.raises(ArgumentError, match="needs a name"):
        documents.from_file(b"x")
    with pytest.raises(ArgumentError, match="pass file_type: notes has no extension"):
        documents.from_file(b"x", name="notes")


def test_a_file_may_get_another_name(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("x")
    assert documents.from_file(str(path), name="Rules").to_dict()["name"] == "Rules"


def test_a_file_that_is_not_there_is_an_error_of_ours(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="cannot read") as caught:
        documents.from_file(tmp_path / "none.txt")
    assert caught.value.argument == "file"


def test_a_web_page_is_fetched_once_or_again() -> None:
    source = {"web_url": "https://example.com", "document_source": 1}
    assert documents.from_url("https://example.com", name="Page").to_dict() == {
        "name": "Page",
        "source_info": source,
    }
    again = documents.from_url(
        "https://example.com", name="Page", update=documents.update_every(24)
    ).to_dict()
    assert again["update_rule"] == {"update_type": 1, "update_interval": 24}
    never = documents.from_url(
        "https://example.com", name="Page", update=documents.update_never()
    ).to_dict()
    assert never["update_rule"] == {"update_type": 0}


@pytest.mark.parametrize("url", ["", "example.com", "ftp://example.com/a", "file:///etc/passwd"])
def test_what_is_not_a_web_address_is_refused(url: str) -> None:
    with pytest.raises(ArgumentError, match="is not an http or https address"):
        documents.from_url(url, name="Page")


def test_a_page_is_not_fetched_more_often_than_daily(coze: Any, local: Emulator) -> None:
    update = documents.update_every(23)
    page = documents.from_url("https://example.com", name="Page", update=update)
    with pytest.raises(ArgumentError, match="update_interval must be at least 24, not 23"):
        coze.datasets.documents.create(
            dataset_id="1",
            document_bases=[page],
            format_type=0,
            chunk_strategy=documents.automatic_chunks(),
        )
    assert sent_to(local, "datasets_documents_create") == 0


def test_an_image_is_named_by_its_upload() -> None:
    made = documents.from_image("7001", name="otter.png", caption="an otter").to_dict()
    assert made == {
        "name": "otter.png",
        "source_info": {"source_file_id": "7001", "document_source": 5},
        "caption": "an otter",
    }


def test_text_is_cut_by_the_service_or_at_a_separator() -> None:
    assert documents.automatic_chunks().to_dict() == {"chunk_type": 0}
    assert documents.chunks("\n\n", max_tokens=800, remove_extra_spaces=True).to_dict() == {
        "chunk_type": 1,
        "separator": "\n\n",
        "max_tokens": 800,
        "remove_extra_spaces": True,
        "remove_urls_emails": False,
    }


def test_a_strategy_that_came_in_a_response_can_be_sent(coze: Any) -> None:
    """Where the service sets the rules, it says 0 tokens."""
    came = {"chunk_type": 0, "separator": "", "max_tokens": 0, "remove_extra_spaces": False}
    made = coze.datasets.documents.create(
        dataset_id=coze.datasets.create(
            name="Otters", space_id=WORKSPACE, format_type=0
        ).dataset_id,
        format_type=0,
        chunk_strategy=ChunkStrategy.from_dict(came),
        document_bases=[documents.from_file(b"Otters swim.", name="a.txt")],
    )
    assert [document.name for document in made] == ["a.txt"]


@pytest.mark.parametrize("size", [-1, 2001])
def test_chunks_have_at_most_2000_tokens(coze: Any, local: Emulator, size: int) -> None:
    with pytest.raises(ArgumentError, match=r"chunk_strategy\.max_tokens must be 0 to 2,000"):
        coze.datasets.documents.create(
            dataset_id="1",
            format_type=0,
            chunk_strategy=documents.chunks("\n", max_tokens=size),
            document_bases=[documents.from_file(b"Otters swim.", name="a.txt")],
        )
    assert list(local.requests) == []


def test_captions_are_written_by_the_service_or_by_hand() -> None:
    assert documents.automatic_captions().to_dict() == {"caption_type": 0}
    assert documents.manual_captions().to_dict() == {"caption_type": 1}


def test_a_knowledge_base_is_filled_and_ready(coze: Any, local: Emulator) -> None:
    dataset = coze.datasets.create(name="Otters", space_id=WORKSPACE, format_type=0)
    made = [
        documents.from_file(b"Otters swim.", name="a.txt"),
        documents.from_file(b"Otters dive.", name="b.txt"),
    ]
    ready = coze.datasets.documents.create_and_poll(
        dataset_id=dataset.dataset_id,
        document_bases=made,
        format_type=0,
        chunk_strategy=documents.automatic_chunks(),
        poll_interval=0,
    )
    assert [(item.status, item.progress) for item in ready] == [(1, 100), (1, 100)]
    assert sent_to(local, "datasets_process") == 2
    ids = [item.document_id for item in ready]
    assert len(coze.datasets.documents.wait(dataset_id=dataset.dataset_id, document_ids=ids)) == 2
