"""In which order the operations of a batch take effect. Pure functions.

An explicit batch reads the state before its own writes. Calls that merely came in the same turn of an event loop
keep the order in which they came, as far as they can tell: a read of a key sees the last write of it before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from axon_integrations.langgraph.requests import Get, Put, Request


class Plan(NamedTuple):
    """Operations that take effect together, by their position.

    Attributes
    ----------
    before : answered from the state before the writes.
    puts : by the id of the entry; at most one for each.
    echoes : answered by what the writes make of an id.
    after : answered from the state after the writes.
    """

    before: dict[int, Request]
    puts: dict[str, Put]
    echoes: dict[int, str]
    after: dict[int, Request]


def plan_batch(requests: Sequence[Request]) -> Plan:
    """Plan an explicit batch: reads first, then the last write of each key."""
    plan = Plan({}, {}, {}, {})
    for position, request in enumerate(requests):
        if isinstance(request, Put):
            plan.puts[request.id] = request
        else:
            plan.before[position] = request
    return plan


def plan_calls(requests: Sequence[Request]) -> list[Plan]:
    """Plan calls of their own, in as few steps as keep their order."""
    plans = [Plan({}, {}, {}, {})]
    echoed: set[str] = set()
    for position, request in enumerate(requests):
        plan = plans[-1]
        if isinstance(request, Put):
            if request.id in echoed:
                plan = Plan({}, {}, {}, {})
                plans.append(plan)
                echoed.clear()
            plan.puts[request.id] = request
        elif isinstance(request, Get) and request.id in plan.puts:
            plan.echoes[position] = request.id
            echoed.add(request.id)
        elif plan.puts and not isinstance(request, Get):
            plan.after[position] = request
        else:
            plan.before[position] = request
    return plans
