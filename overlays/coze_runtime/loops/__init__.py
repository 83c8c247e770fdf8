"""Loops over several calls: running tools until a chat has answered, answering a run that asks."""
