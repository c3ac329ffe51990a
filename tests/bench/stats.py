"""Percentiles that refuse to be told from too few samples, and what the machine was doing meanwhile."""
import os

LEAST_FOR_P999 = 15000  # below, ratios of p99.9 scatter by a factor of ten


def percentile(values, part):
    """Of a sorted list; None for p99.9 and finer when there are too few."""
    if not values or (part >= 0.999 and len(values) < LEAST_FOR_P999):
        return None
    return values[min(len(values) - 1, int(part * len(values)))]


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


class Machine:
    """Load average and the share of CPU time that the hypervisor took, since construction."""

    def __init__(self):
        self.before = self.ticks()

    @staticmethod
    def ticks():
        with open("/proc/stat") as stat:
            return [int(field) for field in stat.readline().split()[1:9]]

    def report(self):
        spent = [after - before for after, before in zip(self.ticks(), self.before)]
        total = max(1, sum(spent))
        return {"cores": os.cpu_count(), "loadavg": list(os.getloadavg()), "steal_percent": round(100 * spent[7] / total, 2),
                "busy_percent": round(100 * (total - spent[3] - spent[4]) / total, 1)}
