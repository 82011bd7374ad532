"""What holds for every test."""

import os

from hypothesis import settings

# A test says what is right, never how fast: a busy machine must not make it fail. CI repeats the same examples;
# everywhere else new ones are drawn each time.
settings.register_profile("motma", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("motma")
