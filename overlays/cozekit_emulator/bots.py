"""The bots that are there from the beginning, each with a script.

| Constant | On every chat |
|---|---|
| `ANSWERING` | answers with the question, in Chinese and emoji, in small pieces; three follow-ups |
| `REASONING` | thinks first (`reasoning_content`), then answers |
| `TOOL_CALLING` | asks for one tool call (`requires_action`); answers with the output of the tool |
| `FAILING` | begins and fails: `conversation.chat.failed`, a whole chat, `last_error` 5000 |
| `FAILING_BRIEFLY` | the same with the short payload `{"code": …, "msg": …}` |
| `BROKEN` | begins, then the stream itself reports an `error` event |
| `TALKING` | on a voice socket talks until it is interrupted; elsewhere answers |
| `UNPUBLISHED` | refuses with 4015: not published to the API channel |

Bots that are made through the API behave like `ANSWERING` once they are published.
"""

from __future__ import annotations

from dataclasses import dataclass

ANSWERING = "7400000000000000101"
REASONING = "7400000000000000102"
TOOL_CALLING = "7400000000000000103"
FAILING = "7400000000000000104"
FAILING_BRIEFLY = "7400000000000000105"
BROKEN = "7400000000000000106"
UNPUBLISHED = "7400000000000000107"
TALKING = "7400000000000000108"


@dataclass(frozen=True, slots=True)
class Script:
    """How a bot behaves in a chat."""

    name: str
    answer: str = "你好👋！你说的是「{question}」。很高兴和你聊天 😊，祝你今天顺利 🎉👨‍👩‍👧！"
    """The answer; `{question}` is what the user said, `{outputs}` what the tools gave."""
    reasoning: str = ""
    tool: str = ""
    """Name of the tool that it calls before it answers."""
    tool_arguments: str = '{"location":"杭州"}'
    failure: str = ""
    """How it fails: `chat`, `brief` or `error`."""
    follow_ups: tuple[str, ...] = ("还能聊点什么？", "讲个笑话吧 😄", "明天天气怎么样？")
    published: bool = True
    endless: bool = False
    """Whether it goes on for ever on a voice socket."""


SCRIPTS: dict[str, Script] = {
    ANSWERING: Script("回声"),
    REASONING: Script("思考者", reasoning="用户问了「{question}」🤔，我先想一想，再回答。"),
    TOOL_CALLING: Script("天气助手", answer="查到了 🌤️：{outputs}", tool="get_weather"),
    FAILING: Script("总是失败", failure="chat"),
    FAILING_BRIEFLY: Script("总是失败（简）", failure="brief"),
    BROKEN: Script("流中出错", failure="error"),
    UNPUBLISHED: Script("未发布", published=False),
    TALKING: Script("说个不停", answer="说。说。说。", endless=True),
}


def script_of(bot_id: str) -> Script:
    """The script of a bot; that of `ANSWERING` for bots made through the API."""
    return SCRIPTS.get(bot_id, SCRIPTS[ANSWERING])
