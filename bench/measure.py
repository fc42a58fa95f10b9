"""How a number is taken: what the kernel says of a process, how often, and what is printed of it."""

import pathlib
import re
import statistics


class Report:
    def __init__(self, runs, quick):
        self.runs = runs
        self.quick = quick
        self.broken = []

    def section(self, name):
        print(f"{name}", flush=True)

    def count(self, what, values, budget, unit):
        """A count with a budget: every run has to meet it."""
        met = all(value <= budget for value in values)
        if not met:
            self.broken.append(what)
        shown = " ".join(f"{value:.10g}" for value in values)
        print(f"  {what:<46} {shown} {unit}  (budget {budget:.10g}: {'met' if met else 'NOT MET'})", flush=True)

    def ratio(self, what, ours, peer, peer_name, at_least=None, at_most=None):
        """Pairs of one run each; the ratio is taken pair by pair."""
        ratios = [mine / other for mine, other in zip(ours, peer)]
        middle = statistics.median(ratios)
        verdict = ""
        if at_least is not None:
            verdict = f", target >= {at_least:g}: {'met' if middle >= at_least else 'missed'}"
        if at_most is not None:
            verdict = f", target <= {at_most:g}: {'met' if middle <= at_most else 'missed'}"
        print(f"  {what:<46} {statistics.median(ours):.4g} beside {peer_name} {statistics.median(peer):.4g}: "
              f"ratio {middle:.2f} ({min(ratios):.2f} to {max(ratios):.2f}){verdict}", flush=True)

    def time(self, what, seconds, target=None, every=False):
        """`every`: the target is meant for each of them, not for the middle one."""
        ordered = sorted(seconds)
        middle = statistics.median(ordered) * 1000
        spread = f"{ordered[0] * 1000:.2f} to {ordered[-1] * 1000:.2f}"
        seen, name = (ordered[-1] * 1000, "each") if every else (middle, "p50")
        aim = f"  (target {name} <= {target:g} ms: {'met' if seen <= target else 'missed'})" if target else ""
        print(f"  {what:<46} p50 {middle:.2f} ms, {spread}, n={len(ordered)}{aim}", flush=True)

    def note(self, text):
        print(f"  {text}", flush=True)

    def close(self):
        if self.broken:
            print(f"\nnot met: {', '.join(self.broken)}")
            return 1
        print("\nall budgets met")
        return 0


def memory(pid):
    """PSS and private dirty of one process in KiB."""
    text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
    field = {name: int(value) for name, value in re.findall(r"^(\w+):\s+(\d+) kB", text, re.M)}
    return field["Pss"], field["Private_Dirty"]


def wakeups(pid):
    """How often the process went to sleep by itself: each is one wake-up."""
    total = 0
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        total += int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", status.read_text(), re.M).group(1))
    return total


def cpu_ms(pid):
    """CPU time of the process so far, from the scheduler's own nanoseconds."""
    total = 0
    for schedstat in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
        total += int(schedstat.read_text().split()[0])
    return total / 1e6

