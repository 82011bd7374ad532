"""The judge: everything that decides, as pure functions of bytes, facts and a time.

This room opens no socket, file or database, reads no clock and draws no random number; all of that comes in
as an argument. ``tests/test_house.py`` holds it to that.
"""
