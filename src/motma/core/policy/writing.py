"""A policy as YAML that people like to read, and that :mod:`motma.core.policy.text` reads back as the same."""

from typing import Any

import msgspec
import yaml

from motma.core.policy import Policy
from motma.core.policy.text import Trap, plain_value

_WIDTH = 110
_DUMPER: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def write_yaml(document: Any) -> str:
    """``document`` (a JSON value) as YAML that :func:`motma.core.policy.text.read_text` reads back.

    Words stand on one line in quotes, evidence within brackets, and logic too as far as it fits on a line: as people
    write them.
    """
    text = yaml.dump(
        _laid_out(document), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH, default_flow_style=None
    )
    return f"---\n{text}" if text[0] in "{[" else str(text)  # or it would be read as JSON


def document_of(policy: Policy) -> Any:
    """The document that says ``policy``, in the order of its fields, without what may be left out."""
    return _without_defaults(policy)


def _is_plain_text(text: str) -> bool:
    try:
        return plain_value(text) == text and text not in ("=", "<<")
    except Trap:
        return False


class _Flow:
    """Something to be written within brackets."""

    def __init__(self, value: Any) -> None:
        self.value = value


class _Quoted(str):
    """A text to be written in quotes."""


def _without_defaults(value: Any) -> Any:
    if isinstance(value, msgspec.Struct):
        fields = msgspec.structs.fields(value)
        held = [(field, getattr(value, field.name)) for field in fields]
        return {field.name: _without_defaults(one) for field, one in held if one != _default(field)}
    if isinstance(value, dict):
        return {name: _without_defaults(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_without_defaults(one) for one in value]
    return msgspec.to_builtins(value)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    if field.default_factory is not msgspec.NODEFAULT:
        return field.default_factory()
    return field.default


def _laid_out(value: Any) -> Any:
    if isinstance(value, list):
        return [_laid_out(item) for item in value]
    if not isinstance(value, dict):
        return value
    laid: dict[Any, Any] = {}
    for name, item in value.items():
        if name in ("title", "words", "cure") and isinstance(item, list):
            laid[name] = _Flow([_Quoted(text) if isinstance(text, str) else text for text in item])
        elif name == "values" and isinstance(item, dict):
            laid[name] = {one: _bracketed(held, f"  {one}: ") for one, held in item.items()}
        elif name == "holds":
            laid[name] = _bracketed(item, "    holds: ")
        elif name == "evidence" and isinstance(item, list | dict):
            laid[name] = _Flow(item)
        else:
            laid[name] = _laid_out(item)
    return laid


def _bracketed(value: Any, before: str, inside: int = 0) -> Any:
    """``value`` within brackets where it fits behind what stands ``before`` it; a line for each part where not."""
    if not isinstance(value, list | dict):
        return value
    at = inside + len(before)
    is_plain = not any(isinstance(one, list | dict) for one in (value.values() if isinstance(value, dict) else value))
    if is_plain or at + len(msgspec.json.encode(value)) <= _WIDTH:  # quotes there take what spaces take here
        return _Flow(value)
    if isinstance(value, list):
        return [_bracketed(one, "- ", inside + 2) for one in value]
    return {name: _bracketed(one, f"{name}: ", inside + 2) for name, one in value.items()}


class _Dumper(_DUMPER):  # type: ignore[misc]
    """Writes texts in quotes wherever :func:`_plain` would take them for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _represent_text(dumper: Any, text: str) -> Any:
    style = None if _is_plain_text(text) and "\n" not in text else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _represent_quoted(dumper: Any, text: _Quoted) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style='"')


def _represent_float(dumper: Any, number: float) -> Any:
    said = repr(number)
    return dumper.represent_scalar("tag:yaml.org,2002:float", said if "." in said else said.replace("e", ".0e"))


def _represent_flow(dumper: Any, flow: _Flow) -> Any:
    node = dumper.represent_data(flow.value)
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if isinstance(one, yaml.CollectionNode):
            one.flow_style = True
            waiting += [part for item in one.value for part in (item if isinstance(item, tuple) else (item,))]
    return node


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(_Quoted, _represent_quoted)
_Dumper.add_representer(_Flow, _represent_flow)
_Dumper.add_representer(float, _represent_float)
