"""Make ``house.json``: what both judges have to know of the house besides policies, for the scanner's tests.

``python -m vectors.verdicts.make_house`` writes it again; ``tests/core/test_bundle.py`` says when that is due.
"""

import json
from pathlib import Path

from motma.core.bundle import Period, content_of
from motma.policies import DEFAULT

if __name__ == "__main__":
    said = {
        "about": "Which policies decide where none are named, in order, and the reasons that no rule owns.",
        "default": list(DEFAULT),
        "reasons": json.loads(content_of("anywhere", None, [Period(None, None, ())]))["reasons"],
    }
    Path(__file__).with_name("house.json").write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", "utf-8")
