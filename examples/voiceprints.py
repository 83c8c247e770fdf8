"""Who is speaking? Creates a group with a voiceprint, and compares a second recording with it.

Reads COZE_API_TOKEN. Set COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

from cozekit import Coze
from cozekit.audio import pcm_to_wav


def main() -> None:
    recording = ("otter.wav", pcm_to_wav(bytes(96_000)))
    with Coze() as coze:
        group = coze.audio.voiceprint_groups.create(name="Family")
        assert group.id is not None
        coze.audio.voiceprint_groups.features.create(group.id, file=recording, name="Otter")
        for voiceprint in coze.audio.voiceprint_groups.features.list(group.id):
            print(voiceprint.id, voiceprint.name)
        matches = coze.audio.voiceprint_groups.speaker_identify(group.id, file=recording, top_k=3)
        for match in matches.feature_score_list or []:
            print(f"{match.feature_name}: {match.score}")
        coze.audio.voiceprint_groups.delete(group.id)


if __name__ == "__main__":
    main()
