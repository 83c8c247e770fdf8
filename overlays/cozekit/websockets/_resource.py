"""`coze.websockets`: creates sockets, which are opened later."""

from __future__ import annotations

from coze_runtime import publish

from ._chat import AsyncChatSocket, ChatSocket
from ._handshake import SocketClient, SocketOptions
from ._speech import AsyncSpeechSocket, SpeechSocket
from ._transcriptions import (
    AsyncSimultInterpretationSocket,
    AsyncTranscriptionsSocket,
    SimultInterpretationSocket,
    TranscriptionsSocket,
)


class WebSockets:
    """Voice sockets of a client, for threads. They need the extra `ws` (`pip install
    'cozekit[ws]'`).
    """

    def __init__(self, client: SocketClient) -> None:
        """Created by the client.

        Args:
            client: The client whose address, token and headers the sockets use.
        """
        self._client = client

    def speech(self, *, options: SocketOptions | None = None) -> SpeechSocket:
        """Text to speech. Permission: createSpeech. Source:
        https://www.coze.cn/open/docs/developer_guides/tts_api

        Args:
            options: Settings of the connection: timeouts, limits, reconnection. None uses the
                defaults of `SocketOptions`.

        Raises:
            ArgumentError: An option is out of range.
        """
        return SpeechSocket(self._client, None, options)

    def transcriptions(self, *, options: SocketOptions | None = None) -> TranscriptionsSocket:
        """Speech to text. Permission: createTranscription. Source:
        https://www.coze.cn/open/docs/developer_guides/asr_api

        Args:
            options: Settings of the connection: timeouts, limits, reconnection. None uses the
                defaults of `SocketOptions`.

        Raises:
            ArgumentError: An option is out of range.
        """
        return TranscriptionsSocket(self._client, None, options)

    def chat(
        self,
        bot_id: str,
        *,
        device_id: str | None = None,
        workflow_id: str | None = None,
        options: SocketOptions | None = None,
    ) -> ChatSocket:
        """A spoken dialogue. Permission: chat. Source:
        https://www.coze.cn/open/docs/developer_guides/streaming_chat_api

        Args:
            bot_id: Id of a published bot.
            device_id: A 64-bit integer as text, for troubleshooting by Coze. None sends none.
            workflow_id: Id of the chatflow that answers in place of the bot. Undocumented.
            options: Settings of the connection: timeouts, limits, reconnection. None uses the
                defaults of `SocketOptions`.

        Raises:
            ArgumentError: `bot_id` is empty, or an option is out of range.
        """
        return ChatSocket(
            self._client,
            {"bot_id": bot_id, "device_id": device_id, "workflow_id": workflow_id},
            options,
        )

    def simult_interpretation(
        self, *, options: SocketOptions | None = None
    ) -> SimultInterpretationSocket:
        """Simultaneous interpretation. Undocumented: known only from an official client; may
        change without notice.

        Args:
            options: Settings of the connection: timeouts, limits, reconnection. None uses the
                defaults of `SocketOptions`.

        Raises:
            ArgumentError: An option is out of range.
        """
        return SimultInterpretationSocket(self._client, None, options)


class AsyncWebSockets:
    """Voice sockets of a client, for asyncio. They need the extra `ws` (`pip install
    'cozekit[ws]'`).
    """

    def __init__(self, client: SocketClient) -> None:
        """Created by the client.

        Args:
            client: The client whose address, token and headers the sockets use.
        """
        self._client = client

    def speech(self, *, options: SocketOptions | None = None) -> AsyncSpeechSocket:
        """Text to speech. Permission: createSpeech. Source:
        https://www.coze.cn/open/docs/developer_guides/tts_api

        Args:
            options: Settings of the connection: timeouts, limits, reconnection. None uses the
                defaults of `SocketOptions`.

        Raises:
            ArgumentError: An option is out of range.
        """
        return AsyncSpeechSocket(self._client, None, options)

    def transcriptions(self, *, options: SocketOptions | None = None) -> AsyncTranscriptionsSocket:
        """Speech to text. Permission: createTranscription. Source:
        https://www.coze.cn/open/docs/developer_guides/asr_api

        Args:
            options: Settings of the connection: timeouts, limits, reconnection. None uses the
                defaults of `SocketOptions`.

        Raises:
            ArgumentError: An option is out of range.
        """
        return AsyncTranscriptionsSocket(self._client, None, options)

    def chat(
        self,
        bot_id: str,
        *,
        device_id: str | None = None,
        workflow_id: str | None = None,
        options: SocketOptions | None = None,
    ) -> AsyncChatSocket:
        """A spoken dialogue. Permission: chat. Source:
        https://www.coze.cn/open/docs/developer_guides/streaming_chat_api

        Args:
            bot_id: Id of a published bot.
            device_id: A 64-bit integer as text, for troubleshooting by Coze. None sends none.
            workflow_id: Id of the chatflow that answers in place of the bot. Undocumented.
            options: Settings of the connection: timeouts, limits, reconnection. None uses the
                defaults of `SocketOptions`.

        Raises:
            ArgumentError: `bot_id` is empty, or an option is out of range.
        """
        return AsyncChatSocket(
            self._client,
            {"bot_id": bot_id, "device_id": device_id, "workflow_id": workflow_id},
            options,
        )

    def simult_interpretation(
        self, *, options: SocketOptions | None = None
    ) -> AsyncSimultInterpretationSocket:
        """Simultaneous interpretation. Undocumented: known only from an official client; may
        change without notice.

        Args:
            options: Settings of the connection: timeouts, limits, reconnection. None uses the
                defaults of `SocketOptions`.

        Raises:
            ArgumentError: An option is out of range.
        """
        return AsyncSimultInterpretationSocket(self._client, None, options)


publish(globals(), "cozekit.websockets", "WebSockets", "AsyncWebSockets")
