"""Builders of chat messages.

```python
messages.user_text("What is in this picture?")
messages.user_objects([messages.text("What is in this picture?"), messages.image(file_id="…")])
```

Source: https://www.coze.cn/open/docs/developer_guides/chat_v3
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from coze_openapi.models.chat import (
    EnterMessage,
    MessageContentItem,
    MessageContentItemType,
    MessageContentType,
    MessageRole,
    MessageType,
)
from coze_runtime.serialization.convert import write_json

from .errors import ArgumentError

__all__ = ["assistant_text", "audio", "file", "image", "text", "user_objects", "user_text"]


def user_text(text: str, *, meta_data: Mapping[str, str] | None = None) -> EnterMessage:
    """A question in plain text.

    Args:
        text: What the user says.
        meta_data: Your own data, returned with the message: at most 16 pairs, keys of 1 to 64,
            values of 1 to 512 characters.
    """
    return _question(text, MessageContentType.TEXT, meta_data)


def user_objects(
    items: Sequence[MessageContentItem], *, meta_data: Mapping[str, str] | None = None
) -> EnterMessage:
    """A question of several parts: text with images, files or recordings.

    Args:
        items: Parts made by `text`, `image`, `file` and `audio`: at most one text, and not only a
            text.
        meta_data: Your own data, returned with the message: at most 16 pairs, keys of 1 to 64,
            values of 1 to 512 characters.

    Raises:
        ArgumentError: Coze does not accept these parts together (code 4000).
    """
    if not items:
        raise ArgumentError("a message needs at least one part", argument="items")
    texts = [item for item in items if item.type == MessageContentItemType.TEXT]
    if len(texts) > 1:
        raise ArgumentError("a message has at most one text part; join them", argument="items")
    if len(texts) == len(items):
        raise ArgumentError("build a message of text alone with user_text", argument="items")
    content = write_json([item.to_dict() for item in items]).decode()
    return _question(content, MessageContentType.OBJECT_STRING, meta_data)


def assistant_text(text: str, *, meta_data: Mapping[str, str] | None = None) -> EnterMessage:
    """An earlier answer of the bot in plain text, to pass on the history of a conversation.

    Args:
        text: What the bot answered.
        meta_data: Your own data, returned with the message: at most 16 pairs, keys of 1 to 64,
            values of 1 to 512 characters.
    """
    return EnterMessage(
        role=MessageRole.ASSISTANT,
        type=MessageType.ANSWER,
        content=text,
        content_type=MessageContentType.TEXT,
        meta_data=meta_data,
    )


def text(content: str) -> MessageContentItem:
    """A text part of `user_objects`.

    Args:
        content: What the user says.
    """
    return MessageContentItem(type=MessageContentItemType.TEXT, text=content)


def image(*, file_id: str | None = None, url: str | None = None) -> MessageContentItem:
    """An image: an uploaded file or a URL. Pass one of the two.

    Args:
        file_id: Id that `coze.files.upload` returned.
        url: Public URL of the file.

    Raises:
        ArgumentError: Neither or both were passed.
    """
    return _file(MessageContentItemType.IMAGE, file_id, url)


def file(*, file_id: str | None = None, url: str | None = None) -> MessageContentItem:
    """A document: an uploaded file or a URL. Pass one of the two.

    Args:
        file_id: Id that `coze.files.upload` returned.
        url: Public URL of the file.

    Raises:
        ArgumentError: Neither or both were passed.
    """
    return _file(MessageContentItemType.FILE, file_id, url)


def audio(*, file_id: str | None = None, url: str | None = None) -> MessageContentItem:
    """A recording: an uploaded file or a URL. Pass one of the two. The bot then answers in speech
    too.

    Args:
        file_id: Id that `coze.files.upload` returned.
        url: Public URL of the file.

    Raises:
        ArgumentError: Neither or both were passed.
    """
    return _file(MessageContentItemType.AUDIO, file_id, url)


def _file(type: MessageContentItemType, file_id: str | None, url: str | None) -> MessageContentItem:
    if bool(file_id) == bool(url):
        raise ArgumentError(f"{type.value} needs either file_id or url", argument="file_id")
    return MessageContentItem(type=type, file_id=file_id or None, file_url=url or None)


def _question(
    content: str, content_type: MessageContentType, meta_data: Mapping[str, str] | None
) -> EnterMessage:
    return EnterMessage(
        role=MessageRole.USER,
        type=MessageType.QUESTION,
        content=content,
        content_type=content_type,
        meta_data=meta_data,
    )
