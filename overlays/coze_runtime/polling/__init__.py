"""Polling for an outcome: `wait` decides when to poll and when to stop, `poll` sends the polls."""
