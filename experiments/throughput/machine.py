"""The machine that measures: what it is, and whether others use it."""

import os
import platform
import re
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
HERE = Path(__file__).resolve().parent
RELEASE = HERE.parents[1] / "target" / "release"


def machine_seconds() -> float:
    """Processor time that everybody has used since the machine started, the hypervisor's share of it included."""
    user, nice, system, _idle, _wait, irq, softirq, steal = map(int, Path("/proc/stat").read_text().split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def own_seconds() -> float:
    usages = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def watched(work: Callable[[], T]) -> tuple[T, float, float]:
    """What the work returned, how many seconds it took, and which share of all cores others used meanwhile."""
    start, others = time.perf_counter(), machine_seconds() - own_seconds()
    result = work()
    seconds, others = time.perf_counter() - start, machine_seconds() - own_seconds() - others
    return result, seconds, max(0.0, others / seconds / os.cpu_count())


def output_of(command: list[str], environment: dict[str, str]) -> str:
    finished = subprocess.run(command, capture_output=True, text=True, env=os.environ | environment)
    if finished.returncode != 0:
        sys.exit(f"{' '.join(command)} failed ({finished.returncode}):\n{finished.stderr}")
    return finished.stdout


def processor() -> dict[str, object]:
    lines = [line.partition(":") for line in Path("/proc/cpuinfo").read_text().split("\n\n")[0].splitlines()]
    of = {name.strip(): value.strip() for name, _, value in lines}
    # A hypervisor may hide the model's name, but not these numbers.
    numbers = f"family {of.get('cpu family', '?')}, model {of.get('model', '?')}"
    return {"processor": f"{of.get('model name', '?')} ({numbers})", "cores": os.cpu_count()}


def results_folder() -> Path:
    """Where the results of this machine are kept: beside those of others."""
    ignored = r"\(r\)|\(tm\)|processor|family|model|\d+-core"
    words = re.findall(r"[a-z0-9]+", re.sub(ignored, " ", processor()["processor"].lower()))
    return HERE / "machines" / "-".join([*words, f"{os.cpu_count()}", "cores"])


class Machine:
    """Runs commands while others use at most `limit` of all cores: waits for that, and repeats what they disturb."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self.disturbances: list[float] = []

    def run(self, command: list[str], environment: dict[str, str] | None = None) -> tuple[str, float]:
        """What the command printed, and how many seconds it took."""
        while True:
            self.wait()
            output, seconds, disturbance = watched(lambda: output_of(command, environment or {}))
            if disturbance <= self.limit:
                self.disturbances.append(disturbance)
                return output, seconds
            print(f"  others used {disturbance:.0%} of the machine: again", file=sys.stderr)

    def wait(self) -> None:
        while watched(lambda: time.sleep(1))[2] > self.limit:
            pass

    def description(self) -> dict[str, object]:
        return {
            **processor(),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "system": f"{platform.system()} {platform.machine()}",
            "used_by_others": {"median": statistics.median(self.disturbances), "most": max(self.disturbances)},
        }
