"""The bots that exist from the start, each with a script.

| Constant | In every chat |
|---|---|
| `ANSWERING` | repeats the question, in Chinese and emoji, in small pieces; three follow-ups |
| `REASONING` | thinks first (`reasoning_content`), then answers |
| `TOOL_CALLING` | asks for one tool call (`requires_action`), then answers with the tool's output |
| `FAILING` | starts and fails: `conversation.chat.failed`, a whole chat, `last_error` 5000 |
| `FAILING_BRIEFLY` | the same with the short payload `{"code": …, "msg": …}` |
| `BROKEN` | starts, then the stream itself reports an `error` event |
| `TALKING` | on a voice socket talks until it is interrupted; elsewhere answers |
| `UNPUBLISHED` | is rejected with 4015: not published to the API channel |

Bots that are created through the API behave like `ANSWERING` once they are published.
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
class BotScript:
    """How a bot behaves in a chat."""

    name: str
    answer: str = "你好👋！你说的是「{question}」。很高兴和你聊天 😊，祝你今天顺利 🎉👨‍👩‍👧！"
    """The answer; `{question}` is the text of the user, `{outputs}` the outputs of the tools."""
    reasoning: str = ""
    tool: str = ""
    """Name of the tool that it calls before it answers."""
    tool_arguments: str = '{"location":"杭州"}'
    failure: str = ""
    """How it fails: `chat`, `brief` or `error`."""
    follow_ups: tuple[str, ...] = ("还能聊点什么？", "讲个笑话吧 😄", "明天天气怎么样？")
    published: bool = True
    endless: bool = False
    """Whether it never stops talking on a voice socket."""


SCRIPTS: dict[str, BotScript] = {
    ANSWERING: BotScript("回声"),
    REASONING: BotScript("思考者", reasoning="用户问了「{question}」🤔，我先想一想，再回答。"),
    TOOL_CALLING: BotScript("天气助手", answer="查到了 🌤️：{outputs}", tool="get_weather"),
    FAILING: BotScript("总是失败", failure="chat"),
    FAILING_BRIEFLY: BotScript("总是失败（简）", failure="brief"),
    BROKEN: BotScript("流中出错", failure="error"),
    UNPUBLISHED: BotScript("未发布", published=False),
    TALKING: BotScript("说个不停", answer="说。说。说。", endless=True),
}


def script_of(bot_id: str) -> BotScript:
    """The script of a bot.

    Args:
        bot_id: Id of the bot; one created through the API behaves like `ANSWERING`.
    """
    return SCRIPTS.get(bot_id, SCRIPTS[ANSWERING])
