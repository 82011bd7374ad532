"""Verbs: declare, check, identify, steer, enrol. Each gathers, asks the core, writes once, and answers."""
