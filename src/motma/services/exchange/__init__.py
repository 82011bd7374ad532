"""Interlinking: what platforms may do, what they send, what they are told, and how it reaches them."""
