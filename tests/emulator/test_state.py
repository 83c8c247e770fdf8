"""What was made is listed, read, changed and deleted; pages page; work in progress ends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest

from coze_openapi import Client
from coze_runtime.errors import APIError
from coze_runtime.types import NULL
from cozekit_emulator import Emulator
from cozekit_emulator.state.ids import ENTERPRISE, ORGANIZATION, USER, WORKSPACE
from tests.emulator.arguments import FILE, question


class Life(NamedTuple):
    """One resource, from its making to its end."""

    name: str
    make: Callable[[Client], Any]
    """Returns its id."""
    names: Callable[[Client], list[Any]]
    """Ids and names of all."""
    change: Callable[[Client, str], Any] | None
    """Gives it the name `renamed`."""
    drop: Callable[[Client, str], Any] | None
    read: Callable[[Client, str], Any] | None = None
    """Returns its name."""


def pairs(found: Any, id: str = "id", name: str = "name") -> list[Any]:
    return [(getattr(item, id), getattr(item, name)) for item in found]


def _group(client: Client) -> str:
    return str(client.audio.voiceprint_groups.create(name="owner").id)


def _person(client: Client) -> str:
    person: Any = {"user_id": "1", "organization_role_type": "made"}
    client.organizations.members.create(ORGANIZATION, organization_people=[person])
    return "1"


LIVES = [
    Life(
        "bots",
        lambda c: c.bots.create(space_id=WORKSPACE, name="made").bot_id,
        lambda c: pairs(c.bots.list(workspace_id=WORKSPACE, publish_status="all")),
        lambda c, key: c.bots.update(bot_id=key, name="renamed"),
        None,
        lambda c, key: c.bots.retrieve(key, is_published=False).name,
    ),
    Life(
        "conversations",
        lambda c: c.conversations.create(bot_id="7****", name="made").id,
        lambda c: pairs(c.conversations.list(bot_id="7****")),
        lambda c, key: c.conversations.update(key, name="renamed"),
        lambda c, key: c.conversations.delete(key),
        lambda c, key: c.conversations.retrieve(conversation_id=key).name,
    ),
    Life(
        "messages",
        lambda c: (
            c.conversations.messages.create(
                conversation_id="7****", role="user", content="made", content_type="text"
            ).id
        ),
        lambda c: pairs(c.conversations.messages.list(conversation_id="7****"), name="content"),
        lambda c, key: c.conversations.messages.update(
            conversation_id="7****", message_id=key, content="renamed"
        ),
        lambda c, key: c.conversations.messages.delete(conversation_id="7****", message_id=key),
        lambda c, key: (
            c.conversations.messages.retrieve(conversation_id="7****", message_id=key).content
        ),
    ),
    Life(
        "datasets",
        lambda c: c.datasets.create(name="made", space_id=WORKSPACE, format_type=0).dataset_id,
        lambda c: pairs(c.datasets.list(space_id=WORKSPACE), "dataset_id"),
        lambda c, key: c.datasets.update(key, name="renamed"),
        lambda c, key: c.datasets.delete(key),
    ),
    Life(
        "documents",
        lambda c: (
            c.datasets.documents.create(
                dataset_id="7****",
                document_bases=[{"name": "made", "source_info": {}}],
                chunk_strategy={},
                format_type=0,
            )[0].document_id
        ),
        lambda c: pairs(c.datasets.documents.list(dataset_id="7****"), "document_id"),
        lambda c, key: c.datasets.documents.update(document_id=key, document_name="renamed"),
        lambda c, key: c.datasets.documents.delete(document_ids=[key]),
    ),
    Life(
        "workspaces",
        lambda c: c.workspaces.create(name="made", description="d").id,
        lambda c: pairs(c.workspaces.list()),
        lambda c, key: c.workspaces.update(key, name="renamed"),
        None,
    ),
    Life(
        "organizations",
        lambda c: (
            c.enterprises.organizations.create(
                ENTERPRISE, name="made", super_admin_user_id="1"
            ).organization_id
        ),
        lambda c: pairs(
            c.enterprises.organizations.list(ENTERPRISE), "organization_id", "organization_name"
        ),
        lambda c, key: c.organizations.update(key, name="renamed"),
        None,
    ),
    Life(
        "organization members",
        _person,
        lambda c: pairs(
            c.organizations.members.list(ORGANIZATION), "user_id", "organization_role_type"
        ),
        lambda c, key: c.organizations.members.update(
            ORGANIZATION, key, organization_role_type="renamed"
        ),
        lambda c, key: c.organizations.members.delete(ORGANIZATION, key, receiver_user_id=USER),
    ),
    Life(
        "api apps",
        lambda c: c.api_apps.create(app_type="normal", name="made").id,
        lambda c: pairs(c.api_apps.list()),
        lambda c, key: c.api_apps.update(key, name="renamed"),
        lambda c, key: c.api_apps.delete(key),
    ),
    Life(
        "voices",
        lambda c: c.audio.voices.clone(voice_name="made", file=FILE, audio_format="wav").voice_id,
        lambda c: pairs(c.audio.voices.list(), "voice_id"),
        lambda c, key: c.audio.voices.clone(
            voice_name="renamed", file=FILE, audio_format="wav", voice_id=key
        ),
        None,
    ),
    Life(
        "voiceprint groups",
        lambda c: c.audio.voiceprint_groups.create(name="made").id,
        lambda c: pairs(c.audio.voiceprint_groups.list()),
        lambda c, key: c.audio.voiceprint_groups.update(key, name="renamed"),
        lambda c, key: c.audio.voiceprint_groups.delete(key),
    ),
    Life(
        "voiceprints",
        lambda c: c.audio.voiceprint_groups.features.create("7****", file=FILE, name="made").id,
        lambda c: pairs(c.audio.voiceprint_groups.features.list("7****")),
        lambda c, key: c.audio.voiceprint_groups.features.update(
            "7****", key, name="renamed", file=FILE
        ),
        lambda c, key: c.audio.voiceprint_groups.features.delete("7****", key),
    ),
    Life(
        "quotas",
        lambda c: (
            c.benefits.limitations.create(
                entity_type="single_device", entity_id="1", benefit_info=TERMS
            ).benefit_id
        ),
        lambda c: [
            (item.benefit_id, item.trigger_unit)
            for item in c.benefits.limitations.list(
                entity_type="single_device", entity_id="1", benefit_type="resource_point"
            )
        ],
        lambda c, key: c.benefits.limitations.update(key, trigger_unit="renamed"),
        None,
    ),
]
TERMS: Any = {
    "benefit_type": "resource_point",
    "limit": 5,
    "active_mode": "absolute_time",
    "started_at": 1,
    "ended_at": 2,
    "trigger_unit": "made",
}


@pytest.mark.parametrize("life", LIVES, ids=[life.name for life in LIVES])
def test_a_thing_that_is_made_is_listed_with_what_it_was_given(client: Client, life: Life) -> None:
    before = life.names(client)
    key = life.make(client)
    assert [item for item in life.names(client) if item not in before] == [(key, "made")]


@pytest.mark.parametrize("life", [life for life in LIVES if life.read], ids=lambda life: life.name)
def test_a_thing_that_is_made_can_be_read(client: Client, life: Life) -> None:
    assert life.read is not None
    assert life.read(client, life.make(client)) == "made"


@pytest.mark.parametrize(
    "life", [life for life in LIVES if life.change], ids=lambda life: life.name
)
def test_a_change_shows_in_the_list(client: Client, life: Life) -> None:
    assert life.change is not None
    key = life.make(client)
    life.change(client, key)
    assert (key, "renamed") in life.names(client)


@pytest.mark.parametrize("life", [life for life in LIVES if life.drop], ids=lambda life: life.name)
def test_a_deleted_thing_is_gone_and_cannot_be_deleted_again(client: Client, life: Life) -> None:
    assert life.drop is not None
    key = life.make(client)
    life.drop(client, key)
    assert key not in [found for found, _ in life.names(client)]
    with pytest.raises(APIError):
        life.drop(client, key)


def test_a_reset_forgets_what_was_made(client: Client, coze_emulator: Emulator) -> None:
    made = client.api_apps.create(app_type="normal", name="made").id
    coze_emulator.reset()
    assert made not in [app.id for app in client.api_apps.list()]


def test_pages_by_number_have_totals_and_do_not_overlap(client: Client) -> None:
    made = [client.workspaces.create(name=f"w{number}", description="d").id for number in range(5)]
    first = client.workspaces.list(page_size=2)
    assert (len(first.items), first.total, first.has_more) == (2, 6, True)
    assert [item.id for item in client.workspaces.list(page_size=2)] == [WORKSPACE, *made]


def test_pages_by_token_end_with_an_empty_token(client: Client, http: httpx.Client) -> None:
    for number in range(3):
        client.api_apps.create(app_type="normal", name=f"a{number}")
    last = http.get("/v1/api_apps", params={"page_size": 2, "page_token": "offset_2"}).json()[
        "data"
    ]
    assert (len(last["items"]), last["has_more"], last["next_page_token"]) == (2, False, "")
    assert len(list(client.api_apps.list(page_size=2))) == 4


def test_an_invented_page_token_is_refused(coze_emulator: Emulator, http: httpx.Client) -> None:
    assert http.get("/v1/api_apps", params={"page_token": "invented"}).json()["code"] == 4000


def test_messages_page_in_both_directions(client: Client, http: httpx.Client) -> None:
    conversation = client.conversations.create(
        messages=[question(str(number)) for number in range(7)]
    ).id
    everything = [
        item.content
        for item in client.conversations.messages.list(
            conversation_id=conversation, limit=3, order="asc"
        )
    ]
    assert everything == [str(number) for number in range(7)]
    newest = list(client.conversations.messages.list(conversation_id=conversation))
    before = client.conversations.messages.list(
        conversation_id=conversation, before_id=newest[5].id, limit=2
    )
    assert ([item.content for item in before.items], before.has_more) == (["3", "2"], True)


def test_a_bot_is_read_as_published_until_it_is_published_again(client: Client) -> None:
    bot_id = client.bots.create(space_id=WORKSPACE, name="first").bot_id
    with pytest.raises(APIError, match="not published"):
        client.bots.retrieve(bot_id)
    version = client.bots.publish(bot_id=bot_id, connector_ids=["1024"]).version
    client.bots.update(bot_id=bot_id, name="second")
    assert (
        client.bots.retrieve(bot_id).name,
        client.bots.retrieve(bot_id, is_published=False).name,
    ) == ("first", "second")
    assert [item.version for item in client.bots.versions.list(bot_id)] == [version]
    assert bot_id in [
        item.id
        for item in client.bots.list(workspace_id=WORKSPACE, publish_status="published_draft")
    ]
    client.bots.unpublish(bot_id, connector_id="1024")
    assert bot_id not in [item.id for item in client.bots.list(workspace_id=WORKSPACE)]


def test_null_clears_a_field_and_absence_keeps_it(client: Client) -> None:
    bot_id = client.bots.create(space_id=WORKSPACE, name="bot", description="text").bot_id
    client.bots.update(bot_id=bot_id, name="bot 2")
    assert client.bots.retrieve(bot_id, is_published=False).description == "text"
    client.bots.update(bot_id=bot_id, description=NULL)
    assert client.bots.retrieve(bot_id, is_published=False).description is None


def test_a_workspace_that_nobody_made_is_refused(client: Client) -> None:
    with pytest.raises(APIError, match="4200"):
        client.bots.create(space_id="1", name="bot")


def test_a_collaborator_cannot_be_added_twice(client: Client) -> None:
    client.workflows.collaborators.create("7****", collaborators=[{"user_id": "1"}])
    with pytest.raises(APIError, match="4201"):
        client.workflows.collaborators.create("7****", collaborators=[{"user_id": "1"}])


def test_members_of_a_workspace_are_told_apart(client: Client) -> None:
    added = client.workspaces.members.create(
        WORKSPACE,
        users=[{"user_id": "1", "role_type": "member"}, {"user_id": USER, "role_type": "member"}],
    )
    assert (added.added_success_user_ids, added.already_joined_user_ids) == (["1"], [USER])
    removed = client.workspaces.members.delete(WORKSPACE, user_ids=["1", "2", USER])
    assert (removed.removed_success_user_ids, removed.not_in_workspace_user_ids) == (["1"], ["2"])
    assert removed.owner_not_support_remove_user_ids == [USER]


def test_the_last_super_administrator_stays(client: Client) -> None:
    with pytest.raises(APIError, match="777074044"):
        client.organizations.members.delete(ORGANIZATION, USER, receiver_user_id="1")


def test_variables_belong_to_one_user_of_one_bot(client: Client) -> None:
    client.variables.update(
        bot_id="1",
        connector_uid="a",
        data=[{"keyword": "age", "value": "18"}, {"keyword": "name", "value": "x"}],
    )
    client.variables.update(bot_id="1", connector_uid="a", data=[{"keyword": "age", "value": "19"}])
    found = client.variables.retrieve(bot_id="1", connector_uid="a", keywords=["age"])
    assert [(item.keyword, item.value) for item in found] == [("age", "19")]
    assert list(client.variables.retrieve(bot_id="1", connector_uid="b")) == []


def test_events_of_a_callback_app_are_subscribed_and_dropped(client: Client) -> None:
    app = client.api_apps.create(app_type="normal", name="app").id
    client.api_apps.events.create(app, event_types=["bot.published", "bot.deleted"])
    client.api_apps.events.delete(app, event_types=["bot.published"])
    assert [(item.event_type, item.api_app_id) for item in client.api_apps.events.list(app)] == [
        ("bot.deleted", app)
    ]


def test_a_file_keeps_its_name_and_size(client: Client) -> None:
    file = client.files.upload(file=("报告.pdf", b"12345", "application/pdf"))
    found = client.files.retrieve(file_id=file.id)
    assert (found.id, found.file_name, found.bytes) == (file.id, "报告.pdf", 5)


def test_an_empty_file_is_refused(client: Client) -> None:
    with pytest.raises(APIError, match="4300"):
        client.files.upload(file=("empty.txt", b""))


def test_two_files_are_refused(coze_emulator: Emulator, http: httpx.Client) -> None:
    files = [("file", ("a.txt", b"a")), ("file", ("b.txt", b"b"))]
    assert http.post("/v1/files/upload", files=files).json()["code"] == 4301


def test_documents_are_processed_while_one_looks(client: Client) -> None:
    bases: Any = [{"name": "a.pdf", "source_info": {"file_type": "pdf"}}]
    document = client.datasets.documents.create(
        dataset_id="7****", document_bases=bases, chunk_strategy={}, format_type=0
    )[0]
    seen = [
        client.datasets.process("7****", document_ids=[document.document_id])[0] for _ in range(2)
    ]
    assert document.status == 0
    assert [(item.status, item.progress) for item in seen] == [(0, 50), (1, 100)]


def test_a_dataset_counts_its_documents_and_takes_them_along(client: Client) -> None:
    dataset = client.datasets.create(name="d", space_id=WORKSPACE, format_type=2).dataset_id
    bases: Any = [
        {"name": "a.png", "source_info": {}, "caption": "小猫"},
        {"name": "b.png", "source_info": {}},
    ]
    client.datasets.documents.create(
        dataset_id=dataset, document_bases=bases, chunk_strategy={}, format_type=2
    )
    assert [
        item.doc_count
        for item in client.datasets.list(space_id=WORKSPACE, name="d")
        if item.dataset_id == dataset
    ] == [2]
    assert [item.name for item in client.datasets.images.list(dataset, keyword="猫")] == ["a.png"]
    client.datasets.delete(dataset)
    with pytest.raises(APIError):
        client.datasets.documents.list(dataset_id=dataset)


def test_a_bill_task_succeeds_while_one_looks(client: Client) -> None:
    task = client.benefits.bill_tasks.create(started_at=1, ended_at=2)
    seen = [client.benefits.bill_tasks.list(task_ids=[task.task_id]).items[0] for _ in range(2)]
    assert [task.status, *(item.status for item in seen)] == ["init", "running", "succeed"]
    assert seen[-1].file_urls


def test_a_copy_task_finishes_and_the_copy_is_there(client: Client) -> None:
    bot = client.bots.create(space_id=WORKSPACE, name="original").bot_id
    task = client.entities.copy_tasks.create(
        entity_id=bot, entity_type="bot", to_workspace_id=WORKSPACE
    )
    seen = [client.entities.copy_tasks.retrieve(task.task_id) for _ in range(2)]
    assert [item.task_status for item in seen] == ["in_progress", "successful"]
    assert client.bots.retrieve(seen[-1].target_entity_id, is_published=False).name == "original"


def test_billed_calls_count(client: Client) -> None:
    client.workflows.runs.create(workflow_id="7****")
    client.plugins.tools.call("7****", tool_name="t", arguments={})
    found = client.benefits.retrieve(benefit_type_list=["call_tool_limit"])
    assert found.benefit_info[0].effective.item_info.used == 2


def test_feedback_is_given_once_and_taken_back(client: Client) -> None:
    message = client.conversations.messages.create(
        conversation_id="7****", role="user", content="hi", content_type="text"
    ).id
    client.conversations.messages.feedback.create("7****", message, feedback_type="like")
    client.conversations.messages.feedback.delete("7****", message)
    with pytest.raises(APIError, match="4005"):
        client.conversations.messages.feedback.delete("7****", message)


def test_speakers_are_found_among_the_voiceprints_of_the_group(client: Client) -> None:
    group = _group(client)
    mother = client.audio.voiceprint_groups.features.create(group, file=FILE, name="妈妈").id
    assert [
        (item.feature_id, item.feature_name)
        for item in client.audio.voiceprint_groups.speaker_identify(
            group, file=FILE
        ).feature_score_list
    ] == [(mother, "妈妈")]
    assert [item.feature_count for item in client.audio.voiceprint_groups.list(group_id=group)] == [
        1
    ]


@pytest.mark.parametrize(
    ("file_format", "head"),
    [("wav", b"RIFF"), ("mp3", b"\xff\xfb"), ("ogg_opus", b"OggS"), ("pcm", b"\x00\x00")],
)
def test_speech_begins_like_its_format(
    http: httpx.Client, coze_emulator: Emulator, file_format: str, head: bytes
) -> None:
    answer = http.post(
        "/v1/audio/speech",
        json={"input": "你好", "voice_id": "7****", "response_format": file_format},
    )
    assert answer.content.startswith(head)
