"""Contenders measured in turns."""

import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable

Times = list[dict[str, float]]


def medians_in_turns(contenders: Iterable[str], rounds: int, measure: Callable[[str], Times]) -> dict[str, Times]:
    """For each contender the medians over rounds, in each of which every one is measured once."""
    found, contenders = defaultdict(list), list(contenders)
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        for contender in contenders:
            print(f"  {contender}", file=sys.stderr)
            found[contender].append(measure(contender))
    return {contender: [medians(of_one) for of_one in zip(*runs, strict=True)] for contender, runs in found.items()}


def medians(times: Iterable[dict[str, float]]) -> dict[str, float]:
    times = list(times)
    return {quantity: round(statistics.median(of[quantity] for of in times), 4) for quantity in times[0]}
