"""``python -m motma.register``: the same as ``motma register serve``, without loading the rest of the house."""

from motma.register.program import serve

serve(prog_name="motma register serve")
