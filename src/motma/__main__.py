"""``python -m motma``."""

from motma.cli import main

main()
