"""Nonsense for every decoder: what is thrown at it must end in an error of ours. ``make fuzz``."""
