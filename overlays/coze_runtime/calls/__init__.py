"""Executing a call: settings, retries, hooks, deadlines of streams, raw responses, custom requests,
and cancel calls that may arrive after the work has finished (`ended`).
"""
