"""Loops over several calls: running the tools of a chat, answering an interrupted run."""
