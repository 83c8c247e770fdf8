"""Documents and images of datasets: they begin as `processing`, and every read moves them on by a
half.
"""

from __future__ import annotations

from .calls import Call
from .lists import items, page
from .store import Record
from .verbs import defaults

DATASET_FILTERS = {"space_id": "space_id", "format_type": "format_type"}


def by_name(record: Record, call: Call) -> bool:
    """Datasets whose name holds the word."""
    return call.arg("name", "") in record["name"]


def delete_contents(call: Call, dataset: Record) -> None:
    """The documents go with their dataset."""
    documents = call.collection("documents")
    for record in [
        record for record in documents.all() if record["dataset_id"] == dataset["dataset_id"]
    ]:
        documents.remove(record)


def create_documents(call: Call) -> Record:
    """One document per source; all begin as `processing`."""
    dataset, documents = call.find("datasets"), call.collection("documents")
    made = []
    for base in call.arg("document_bases"):
        fields = {
            "format_type": dataset["format_type"],
            **{name: call.arg(name) for name in ("chunk_strategy", "format_type")},
        }
        kind = base.get("source_info", {}).get("file_type") or base["name"].rpartition(".")[2]
        fields.update(
            name=base["name"],
            document_name=base["name"],
            type=kind,
            caption=base.get("caption", ""),
            status=0,
            progress=0,
        )
        made.append(
            documents.add(
                {**defaults(call, documents), **fields, "dataset_id": dataset["dataset_id"]}
            )
        )
    _sum_up(call, dataset)
    return items(call, "document_infos", made)


def delete_documents(call: Call) -> Record:
    """Deletes documents of any dataset, all or none."""
    documents = call.collection("documents")
    for record in [documents.get(str(item)) for item in call.arg("document_ids")]:
        documents.remove(record)
        changed(call, record)
    return {}


def changed(call: Call, document: Record) -> None:
    """The dataset of a document tells what became of it."""
    dataset = call.collection("datasets").peek(document["dataset_id"])
    if dataset:
        _sum_up(call, dataset)


def list_documents(call: Call) -> Record:
    """The documents of a dataset; reading moves those that are being processed."""
    return page(call, _documents(call))


def list_images(call: Call) -> Record:
    """The images of a dataset, narrowed by caption."""
    word, captioned = call.arg("keyword", ""), call.arg("has_caption")
    records = [record for record in _documents(call) if record.get("format_type") == 2]
    records = [record for record in records if word in (record.get("caption") or "")]
    return page(
        call,
        [
            record
            for record in records
            if captioned is None or captioned == bool(record.get("caption"))
        ],
    )


def process_documents(call: Call) -> Record:
    """Progress of documents; each read moves them on by a half."""
    call.find("datasets")
    records = [call.collection("documents").get(str(item)) for item in call.arg("document_ids")]
    for record in records:
        _advance(call, record)
    # The page of this operation has another name for the field that all others call `name`.
    return items(
        call, "data.data", [{**record, "document_name": record["name"]} for record in records]
    )


def _documents(call: Call) -> list[Record]:
    dataset = call.find("datasets")
    records = _held(call, dataset)
    for record in records:
        _advance(call, record)
    return records


def _held(call: Call, dataset: Record) -> list[Record]:
    return [
        record
        for record in call.collection("documents").all()
        if record["dataset_id"] == dataset["dataset_id"]
    ]


def _advance(call: Call, record: Record) -> None:
    if record["status"] == 0:
        record["progress"] += 50
        record["status"] = 1 if record["progress"] >= 100 else 0
        changed(call, record)


def _sum_up(call: Call, dataset: Record) -> None:
    """What a dataset tells of its documents."""
    held = _held(call, dataset)
    waiting = [record for record in held if record["status"] == 0]
    dataset.update(
        doc_count=len(held),
        slice_count=sum(record.get("slice_count") or 0 for record in held),
        all_file_size=str(sum(record.get("size") or 0 for record in held)),
        file_list=[record["name"] for record in held],
        processing_file_list=[record["name"] for record in waiting],
        processing_file_id_list=[record["document_id"] for record in waiting],
    )
