"""Waiting for an outcome: `wait` says when to poll and when to stop, `poll` does it."""
