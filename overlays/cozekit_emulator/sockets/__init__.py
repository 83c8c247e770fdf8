"""The voice sockets.

* `session`: handshake, frames, and what all sockets share. `settings`: defaults and limits.
* `speech`, `transcription`, `chat`: what happens on each. `reply`: a bot that speaks.
* `voice_detection`: finds speech in sound.
"""
