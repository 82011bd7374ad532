"""``python -m motma.twins``: the same as ``motma platform serve``, without loading the rest of the house."""

from motma.twins.program import serve

serve(prog_name="motma platform serve")
