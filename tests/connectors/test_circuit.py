"""The circuit breaker by itself, against every order of what can happen."""

from hypothesis import given
from hypothesis import strategies as st

from motma.connectors.registry.circuit import Circuit, Pass

STEPS = st.lists(
    st.tuples(st.sampled_from(["ask", "ok", "bad", "gone", "wait"]), st.integers(0, 9)), min_size=1, max_size=80
)


@given(STEPS, st.integers(1, 4), st.integers(0, 5))
def test_in_every_order_it_lets_through_what_it_should(steps: list[tuple[str, int]], failures: int, pause: int) -> None:
    circuit = Circuit(failures=failures, pause_seconds=pause)
    now = 0.0
    out: list[tuple[Pass, bool]] = []  # passes out, and whether each is a probe
    for step, which in steps:
        was_open = circuit.is_open
        if step == "wait":
            now += which
        elif step == "ask":
            would = circuit.would_admit(now)
            given_pass = circuit.admit(now)
            assert (given_pass is not None) is would
            if not was_open:
                assert given_pass is not None
            if given_pass:
                out.append((given_pass, was_open))
            probes = [one for one, probing in out if probing and one.era == given_pass.era] if given_pass else []
            assert len(probes) <= 1  # never two probes at once
        elif out:
            back, probing = out.pop(which % len(out))
            if step == "ok" and circuit.succeeded(back):
                assert was_open and probing and not circuit.is_open
            elif step == "bad":
                assert circuit.failed(back, now) <= circuit.is_open
                if circuit.is_open and not was_open:
                    assert not circuit.would_admit(now) or pause == 0
            elif step == "gone":
                circuit.abandoned(back)
                assert circuit.is_open is was_open
    # Whatever happened: when nothing is out any more and time has passed, it can be asked, and heals.
    for back, _ in out:
        circuit.abandoned(back)
    last = circuit.admit(now + pause)
    assert last is not None
    circuit.succeeded(last)
    assert not circuit.is_open and circuit.would_admit(now)


def test_a_success_between_failures_starts_the_count_anew() -> None:
    circuit = Circuit(failures=2, pause_seconds=1)
    for outcome in ("bad", "ok", "bad", "ok", "bad"):
        leave = circuit.admit(0)
        assert leave is not None
        if outcome == "ok":
            circuit.succeeded(leave)
        else:
            assert not circuit.failed(leave, 0)
    leave = circuit.admit(0)
    assert leave is not None and circuit.failed(leave, 0) and not circuit.would_admit(0.5)


def test_what_was_asked_before_it_opened_says_nothing_afterwards() -> None:
    circuit = Circuit(failures=1, pause_seconds=1)
    early, late = circuit.admit(0), circuit.admit(0)
    assert early is not None and late is not None
    assert circuit.failed(early, 0)
    assert not circuit.succeeded(late) and circuit.is_open
    probe = circuit.admit(1)
    assert probe is not None
    assert not circuit.failed(late, 1)  # nor does it end the probe
    assert circuit.admit(1) is None
    assert circuit.succeeded(probe) and not circuit.is_open
