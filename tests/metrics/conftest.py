"""What several tests of the metrics need."""

import pytest

from fashseg.metrics import score_histogram as counting


@pytest.fixture
def always_class_by_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """Count as for many pixels on the CPU, in several pieces and small chunks."""
    monkeypatch.setattr(counting, "_count_all_classes", counting._count_class_by_class)
    monkeypatch.setattr(counting, "_SMALLEST_PIECE", 3000)
    monkeypatch.setattr(counting, "_CHUNK_SCORES", 500)
