"""``motma policy``: which rules decide, what one says, and whether a file is a policy."""

import datetime as dt
import sys
from pathlib import Path

import click
from rich.table import Column, Table

from motma.cli.terminal import console, with_house
from motma.core.errors import Hidden, Invalid
from motma.core.measure import active_measure
from motma.core.policy.enacted import Step
from motma.core.policy.text import MAX_BYTES, read_policy
from motma.core.policy.writing import document_of, write_yaml
from motma.core.words import Words
from motma.policies import SHIPPED
from motma.services.policies import shipped
from motma.wiring import Built


@click.group()
def policy() -> None:
    """What decides at the checkpoints: rules as data. They are written and approved on the page /ops/policies."""


@policy.command("list")
def policy_list() -> None:
    """The policies in force, in the order of asking, those that wait, and those that ship and are off."""

    async def show(built: Built, now: dt.datetime) -> None:
        policies = built.house.policies
        enacted = await policies.enacted(now)
        measure = active_measure((await built.house.steer.board(now)).measures.values(), now)
        table = Table("id", "version", Column("title", overflow="fold"), Column("state", no_wrap=True), "by", "from")
        asked = policies.in_force(enacted, measure.policies if measure else (), now)
        for name, step in asked:
            one = policies.policy_of(step) if step else shipped(name)
            state = "in force" if one else "cannot be read"
            table.add_row(name, str(one.version if one else "?"), one.title.en if one else "", state, *_who(step))
        for step in enacted.waiting(now):
            table.add_row(step.policy, _version(step), "", "scheduled", *_who(step))
        for step in enacted.steps.values():
            if step.is_open:
                table.add_row(step.policy, _version(step), "", "waits for approval", ", ".join(step.authors), "")
        for name in SHIPPED:
            one = shipped(name)
            if one and name not in dict(asked) and enacted.current(name, now) is None:
                table.add_row(name, str(one.version), one.title.en, "ships, is off", "", "")
        console.print(table)

    with_house(show)


@policy.command("show", short_help="A policy as YAML.")
@click.argument("id")
def policy_show(id: str) -> None:
    """The policy ID as it is in force, or else as it ships, as YAML: to change it, and to check the file again."""

    async def find(built: Built, now: dt.datetime) -> str:
        policies = built.house.policies
        step = (await policies.enacted(now)).current(id, now)
        if step and step.text:
            return step.text
        one = shipped(id)
        if one is None:
            raise Hidden(
                "policy.unknown",
                Words(
                    "Không có chính sách này. Xem: motma policy list", "There is no such policy. See: motma policy list"
                ),
            )
        return write_yaml(document_of(one))

    click.echo(with_house(find).rstrip("\n"))


@policy.command("check", short_help="Validate a file and run its tests.")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def policy_check(file: Path) -> None:
    """Say everything that is wrong with the policy in FILE (YAML or JSON), and run its tests; needs no server.

    A line each: line of the file, place in the document, code, words. Ends with exit code 1 if it is no policy.
    """
    with file.open("rb") as opened:
        raw = opened.read(MAX_BYTES * 4 + 1)  # more can be no policy, however it is encoded
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise Invalid("policy.not_text", Words("Tệp không phải chữ UTF-8.", "The file is not UTF-8 text.")) from None
    written = read_policy(text)
    for finding in written.findings:
        kind = "error" if finding.stops else "warning"
        click.echo(f"{file}:{finding.line}: {kind}: {finding.words.en} [{finding.code} at {finding.path or '/'}]")
    if written.policy is None:
        click.echo(f"{len(written.problems)} to put right", err=True)
        sys.exit(1)
    tests = sum(len(rule.tests) for rule in written.policy.rules)
    click.echo(
        f"{written.policy.id} {written.policy.version}: {len(written.policy.rules)} rules, {tests} tests, all good"
    )


def _version(step: Step) -> str:
    return "off" if step.is_off else str(step.version)


def _who(step: Step | None) -> tuple[str, str]:
    if step is None:
        return "as it ships", ""
    return f"{', '.join(step.authors)}; {step.approved_by}", f"{step.moment:%Y-%m-%d %H:%M}Z"
