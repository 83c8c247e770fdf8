"""What the emulator knows of a thing it also tells: fields of answers that could be filled and were
not.
"""

from __future__ import annotations

from typing import Any

import pytest

from coze_openapi import Client
from cozekit_emulator import Emulator, bots, workflows
from cozekit_emulator.state.ids import USER, WORKSPACE
from cozekit_emulator.state.oauth_apps import DEVICE_APP
from tests.emulator.arguments import FILE
from tests.emulator.sign_in import exchange


@pytest.mark.parametrize(
    ("interval", "text"),
    [(5.0, '"interval":5}'), (0.25, '"interval":0.25}'), (1.5, '"interval":1.5}')],
)
def test_the_interval_of_a_device_keeps_its_fraction(
    coze_emulator: Emulator, interval: float, text: str
) -> None:
    coze_emulator.oauth.interval = interval
    answer = exchange(
        coze_emulator.base_url, {"client_id": DEVICE_APP}, path="/api/permission/oauth2/device/code"
    )
    assert text in answer.text


def dataset_with(client: Client, *names: str) -> tuple[str, list[str]]:
    """A dataset and the ids of its documents."""
    dataset = client.datasets.create(name="d", space_id=WORKSPACE, format_type=2).dataset_id
    bases: Any = [{"name": name, "source_info": {}} for name in names]
    made = client.datasets.documents.create(
        dataset_id=dataset, document_bases=bases, chunk_strategy={}, format_type=2
    )
    return dataset, [document.document_id for document in made]


def dataset_of(client: Client, dataset: str) -> Any:
    return next(
        item
        for item in client.datasets.list(space_id=WORKSPACE, name="d")
        if item.dataset_id == dataset
    )


def test_progress_names_the_document_by_its_present_name(client: Client) -> None:
    dataset, ids = dataset_with(client, "a.png", "b.png")
    assert [item.document_name for item in client.datasets.process(dataset, document_ids=ids)] == [
        "a.png",
        "b.png",
    ]
    client.datasets.documents.update(document_id=ids[1], document_name="c.png")
    assert [item.document_name for item in client.datasets.process(dataset, document_ids=ids)] == [
        "a.png",
        "c.png",
    ]


def test_a_dataset_names_its_files_and_those_in_processing(client: Client) -> None:
    dataset, ids = dataset_with(client, "a.png", "b.png")
    found = dataset_of(client, dataset)
    assert (
        found.file_list == found.processing_file_list == ["a.png", "b.png"]
        and found.processing_file_id_list == ids
    )
    for _ in range(2):
        client.datasets.process(dataset, document_ids=ids[:1])
    client.datasets.documents.update(document_id=ids[1], document_name="c.png")
    found = dataset_of(client, dataset)
    assert found.file_list == ["a.png", "c.png"] and found.processing_file_list == ["c.png"]
    assert found.processing_file_id_list == ids[1:]
    client.datasets.documents.delete(document_ids=ids[1:])
    found = dataset_of(client, dataset)
    assert (found.doc_count, found.file_list, found.processing_file_list) == (1, ["a.png"], [])


def test_a_dataset_adds_up_sizes_and_chunks(client: Client) -> None:
    dataset, ids = dataset_with(client, "a.png", "b.png")
    documents = list(client.datasets.documents.list(dataset_id=dataset))
    found = dataset_of(client, dataset)
    assert sum(document.size or 0 for document in documents) > 0
    assert int(found.all_file_size) == sum(document.size or 0 for document in documents)
    assert found.slice_count == sum(document.slice_count or 0 for document in documents)
    client.datasets.documents.delete(document_ids=ids)
    assert (dataset_of(client, dataset).all_file_size, dataset_of(client, dataset).slice_count) == (
        "0",
        0,
    )


@pytest.mark.filterwarnings("ignore:coze.bots.list_published is deprecated:DeprecationWarning")
def test_the_list_of_published_bots_has_its_own_names(client: Client) -> None:
    listed = {item.bot_id: item for item in client.bots.list_published(space_id=WORKSPACE)}
    assert listed[bots.ANSWERING].bot_name == "回声"
    made = client.bots.create(space_id=WORKSPACE, name="made").bot_id
    assert made is not None and made not in listed
    client.bots.publish(bot_id=made, connector_ids=["1024"])
    client.bots.update(bot_id=made, name="draft")
    found = next(
        item for item in client.bots.list_published(space_id=WORKSPACE) if item.bot_id == made
    )
    shown = next(item for item in client.bots.list(workspace_id=WORKSPACE) if item.id == made)
    assert found.bot_name == "made" and found.publish_time == str(shown.published_at)


def test_a_bot_that_was_never_published_has_no_time_of_publication(client: Client) -> None:
    made = client.bots.create(space_id=WORKSPACE, name="made").bot_id
    copy = client.entities.copy_tasks.create(
        entity_type="bot", entity_id=bots.ANSWERING
    ).copied_entity_id
    found = {
        item.id: item for item in client.bots.list(workspace_id=WORKSPACE, publish_status="all")
    }
    assert [found[str(key)].published_at for key in (made, copy, bots.UNPUBLISHED)] == [
        None,
        None,
        None,
    ]
    assert found[bots.ANSWERING].published_at


def test_a_bot_shows_the_knowledge_and_the_workflows_that_it_was_given(client: Client) -> None:
    dataset, _ = dataset_with(client)
    made = client.bots.create(
        space_id=WORKSPACE, name="made", workflow_id_list={"ids": [{"id": workflows.SLOW}]}
    ).bot_id
    bot = client.bots.retrieve(made, is_published=False)
    assert [(item.id, item.name) for item in bot.workflow_info_list or []] == [
        (workflows.SLOW, "slow")
    ] and bot.knowledge is None
    client.bots.update(
        bot_id=made, knowledge={"dataset_ids": [dataset, "9999999"]}, workflow_id_list={"ids": []}
    )
    bot = client.bots.retrieve(made, is_published=False)
    assert bot.knowledge is not None and bot.workflow_info_list == []
    assert [(item.id, item.name) for item in bot.knowledge.knowledge_infos or []] == [
        (dataset, "d")
    ]


def test_a_new_conversation_tells_its_creator(client: Client) -> None:
    made = client.conversations.create(bot_id=bots.ANSWERING)
    assert next(iter(client.conversations.list(bot_id=bots.ANSWERING))).creator_id == USER
    assert client.conversations.retrieve(conversation_id=made.id).creator_id == USER


def test_voiceprints_and_their_groups_tell_their_maker(client: Client) -> None:
    group = client.audio.voiceprint_groups.create(name="g").id
    client.audio.voiceprint_groups.features.create(group, name="f", file=FILE)
    (feature,) = client.audio.voiceprint_groups.features.list(group)
    found = next(item for item in client.audio.voiceprint_groups.list() if item.id == group)
    assert found.feature_count == 1
    assert [item.user_info and item.user_info.id for item in (found, feature)] == [USER, USER]


def test_a_new_quota_is_whole_on_both_levels(client: Client) -> None:
    terms: Any = {
        "benefit_type": "resource_point",
        "active_mode": "absolute_time",
        "started_at": 1,
        "ended_at": 2,
        "limit": 3,
    }
    made = client.benefits.limitations.create(
        entity_type="single_device", entity_id="d1", benefit_info=terms
    )
    for quota in (made, made.benefit_info):
        assert quota is not None and quota.benefit_id == made.benefit_id
        assert (quota.entity_type, quota.entity_id, quota.limit, quota.status) == (
            "single_device",
            "d1",
            3,
            "valid",
        )
        assert (quota.trigger_unit, quota.trigger_time) == ("never", 1)


def history(client: Client, execute_id: Any) -> Any:
    return client.workflows.runs.run_histories.retrieve(
        workflow_id=workflows.INTERRUPTING, execute_id=execute_id
    )


def test_a_run_tells_its_user_and_when_it_was_resumed(
    coze_emulator: Emulator, client: Client
) -> None:
    started = client.workflows.runs.create(
        workflow_id=workflows.INTERRUPTING, is_async=True, ext={"user_id": "u1"}
    )
    history(client, started.execute_id)
    run = history(client, started.execute_id)
    assert run.connector_uid == "u1"
    coze_emulator.clock.advance(60)
    client.workflows.runs.resume(
        workflow_id=workflows.INTERRUPTING,
        event_id=run.interrupt_data.event_id,
        interrupt_type=run.interrupt_data.type,
        resume_data="杭州",
    )
    resumed = history(client, started.execute_id)
    assert (
        resumed.create_time == run.create_time == run.update_time
        and resumed.update_time >= run.update_time + 60
    )


def test_a_run_without_a_user_ran_for_the_owner_of_the_token(client: Client) -> None:
    started = client.workflows.runs.create(workflow_id=workflows.INTERRUPTING, is_async=True)
    assert history(client, started.execute_id).connector_uid == USER
