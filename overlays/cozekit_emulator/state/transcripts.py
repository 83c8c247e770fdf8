"""What the users of voice sockets say: a script, as the emulator understands no speech."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

TRANSCRIPT = "今天天气怎么样？"
"""The text of every utterance, unless `Emulator.say` sets another."""
TRANSLATIONS = {TRANSCRIPT: "How is the weather today?"}


@dataclass(slots=True)
class Transcripts:
    """The texts of the next utterances, on any voice socket."""

    queue: deque[str] = field(default_factory=deque)

    def next(self) -> str:
        """The text of the next utterance."""
        return self.queue.popleft() if self.queue else TRANSCRIPT


def translate(text: str, language: str) -> str:
    """The translation of a transcript; made up for a text that is not in the script."""
    return TRANSLATIONS.get(text, f"[{language}] {text}")
