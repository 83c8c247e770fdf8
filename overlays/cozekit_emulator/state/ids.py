"""Ids of the resources that exist from the start; those of bots, workflows and OAuth apps are in
`bots`, `workflows` and `oauth_apps`.
"""

from __future__ import annotations

WORKSPACE = "7400000000000000001"
"""The workspace that holds the sample resources."""
ENTERPRISE = "volcano_2100000001"
ORGANIZATION = "7400000000000000002"
DATASET = "7400000000000000003"
CONVERSATION = "7400000000000000004"
VOICE = "7400000000000000005"
FOLDER = "7400000000000000006"
USER = "7400000000000000007"
"""The owner of the token."""
NODE = "7400000000000000026"
"""The execution of the output node of the finished workflow run."""
API_CHANNEL = "1024"
"""The channel (connector) of the API."""
