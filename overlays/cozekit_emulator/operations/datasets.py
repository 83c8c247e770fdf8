"""Knowledge bases: their documents and images begin as `processing`, and every read advances them
by a half.
"""

from __future__ import annotations

from ..http.crud import server_defaults
from ..http.pagination import page_response
from ..http.request import ApiRequest
from ..http.response_fields import items_response
from ..state.store import Record

_PROCESSING, _PROCESSED = 0, 1
_IMAGE = 2


def name_contains(dataset: Record, request: ApiRequest) -> bool:
    """Whether the name of a dataset contains the word asked for."""
    return request.arg("name", "") in dataset["name"]


def delete_documents_of(request: ApiRequest, dataset: Record) -> None:
    """Deletes the documents of a dataset that is deleted."""
    for document in _documents_of(request, dataset):
        request.collection("documents").remove(document)


def create_documents(request: ApiRequest) -> Record:
    """One document per source."""
    dataset, documents = request.find("datasets"), request.collection("documents")
    created = []
    for base in request.arg("document_bases"):
        file_type = base.get("source_info", {}).get("file_type")
        fields = {
            **server_defaults(request, documents),
            "chunk_strategy": request.arg("chunk_strategy"),
            "format_type": request.arg("format_type"),
            "name": base["name"],
            "type": file_type or base["name"].rpartition(".")[2],
            "caption": base.get("caption", ""),
            "status": _PROCESSING,
            "progress": 0,
            "dataset_id": dataset["dataset_id"],
        }
        created.append(documents.add(fields))
    _summarize(request, dataset)
    return items_response(request, "document_infos", created)


def delete_documents(request: ApiRequest) -> Record:
    """Deletes documents of any dataset; none if one of them is unknown."""
    documents = request.collection("documents")
    for document in [documents.get(str(item)) for item in request.arg("document_ids")]:
        documents.remove(document)
        update_dataset_of(request, document)
    return {}


def update_dataset_of(request: ApiRequest, document: Record) -> None:
    """Updates what the dataset of a document shows of it."""
    dataset = request.collection("datasets").get_or_none(document["dataset_id"])
    if dataset:
        _summarize(request, dataset)


def list_documents(request: ApiRequest) -> Record:
    """The documents of a dataset, advanced."""
    return page_response(request, _advanced_documents(request))


def list_images(request: ApiRequest) -> Record:
    """The images of a dataset, advanced and filtered by caption."""
    word, has_caption = request.arg("keyword", ""), request.arg("has_caption")
    images = [
        document
        for document in _advanced_documents(request)
        if document.get("format_type") == _IMAGE
        and word in (document.get("caption") or "")
        and has_caption in (None, bool(document.get("caption")))
    ]
    return page_response(request, images)


def list_progress(request: ApiRequest) -> Record:
    """Progress of documents, advanced."""
    request.find("datasets")
    documents = [
        request.collection("documents").get(str(item)) for item in request.arg("document_ids")
    ]
    for document in documents:
        _advance(request, document)
    # This operation has another name for the field that all others call `name`.
    records = [{**document, "document_name": document["name"]} for document in documents]
    return items_response(request, "data.data", records)


def _advanced_documents(request: ApiRequest) -> list[Record]:
    documents = _documents_of(request, request.find("datasets"))
    for document in documents:
        _advance(request, document)
    return documents


def _documents_of(request: ApiRequest, dataset: Record) -> list[Record]:
    return [
        document
        for document in request.collection("documents").all()
        if document["dataset_id"] == dataset["dataset_id"]
    ]


def _advance(request: ApiRequest, document: Record) -> None:
    if document["status"] == _PROCESSING:
        document["progress"] += 50
        document["status"] = _PROCESSED if document["progress"] >= 100 else _PROCESSING
        update_dataset_of(request, document)


def _summarize(request: ApiRequest, dataset: Record) -> None:
    """Updates what a dataset shows of its documents."""
    documents = _documents_of(request, dataset)
    processing = [document for document in documents if document["status"] == _PROCESSING]
    dataset.update(
        doc_count=len(documents),
        slice_count=sum(document.get("slice_count") or 0 for document in documents),
        all_file_size=str(sum(document.get("size") or 0 for document in documents)),
        file_list=[document["name"] for document in documents],
        processing_file_list=[document["name"] for document in processing],
        processing_file_id_list=[document["document_id"] for document in processing],
    )
