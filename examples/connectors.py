"""A custom channel: adds it to a workspace, binds devices, reports the review of a bot.

Reads COZE_API_TOKEN, COZE_CONNECTOR_ID, COZE_WORKSPACE_ID, COZE_BOT_ID. Set COZE_API_BASE for a
site other than https://api.coze.cn.
"""

from __future__ import annotations

import os

from cozekit import Coze
from cozekit.models import BotAuditStatus, ConnectorDevice, ConnectorUserConfig


def main() -> None:
    connector_id = os.environ["COZE_CONNECTOR_ID"]
    devices = ConnectorUserConfig(
        key="robot", enums=[ConnectorDevice(label="Robot in the hall", value="robot-1")]
    )
    with Coze() as coze:
        coze.connectors.install(connector_id, workspace_id=os.environ["COZE_WORKSPACE_ID"])
        coze.connectors.user_configs.create(connector_id, configs=[devices], user_id="user-1")
        result = coze.connectors.bots.update(
            connector_id, os.environ["COZE_BOT_ID"], audit_status=BotAuditStatus.APPROVED, reason=""
        )
        print("reviewed, log id", result.logid)


if __name__ == "__main__":
    main()
