"""Sets and reads user variables of a bot.

Reads COZE_API_TOKEN and COZE_BOT_ID. Set COZE_API_BASE for a site other than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze
from cozekit.models import UserVariableAssignment


def main() -> None:
    bot_id = os.environ["COZE_BOT_ID"]
    with Coze() as coze:
        coze.variables.update(
            bot_id=bot_id,
            connector_uid="user-1",
            data=[UserVariableAssignment(keyword="city", value="Hangzhou")],
        )
        for variable in coze.variables.retrieve(
            bot_id=bot_id, connector_uid="user-1", keywords=["city"]
        ):
            print(variable.keyword, "=", variable.value)


if __name__ == "__main__":
    main()
