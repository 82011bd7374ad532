"""The two days of August 2021, played through a running server over HTTP, and accounted for to the last one."""

from motma.replay.account import Account, account_table
from motma.replay.crowd import Plan
from motma.replay.drive import replay

__all__ = ["Account", "Plan", "account_table", "replay"]
