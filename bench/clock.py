"""Wall and processor time by epoch, and the JSON line that every measured script ends with."""

import json
import time
from typing import Any


class Laps:
    """Times from one call to the next.

    Attributes:
        seconds: wall time of each lap.
        cpu_seconds: processor time of each lap, all threads of this process.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.cpu_seconds: list[float] = []
        self.start()

    def start(self) -> None:
        """Begin a lap; what has passed since the last one is nobody's."""
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def lap(self) -> None:
        """End a lap and begin the next one."""
        wall, cpu = time.perf_counter(), time.process_time()
        self.seconds.append(wall - self._wall)
        self.cpu_seconds.append(cpu - self._cpu)
        self._wall, self._cpu = wall, cpu

    def report(self, images: int) -> dict[str, Any]:
        """What the laps come to with so many training images each."""
        total = images * len(self.seconds)
        return {
            "images": images,
            "epoch_seconds": [round(s, 4) for s in self.seconds],
            "epoch_cpu_seconds": [round(s, 4) for s in self.cpu_seconds],
            "images_per_second": round(total / sum(self.seconds), 2),
            "images_per_cpu_second": round(total / sum(self.cpu_seconds), 2),
        }


def print_result(**values: Any) -> None:
    """One JSON line, the last one that a script prints."""
    print(json.dumps(values), flush=True)
