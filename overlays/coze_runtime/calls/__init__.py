"""Carrying out a call: settings, the plan and its drivers, hooks, deadlines, raw responses, custom
requests, and calls that may come too late (`ended`).
"""
