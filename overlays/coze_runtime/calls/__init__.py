"""Carrying out a call: the plan and its driver, hooks, raw responses, custom requests."""
