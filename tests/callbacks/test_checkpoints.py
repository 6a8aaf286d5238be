from pathlib import Path

import torch

from fashseg.callbacks.checkpoints import MovableCheckpoint


def test_the_best_score_is_kept_where_the_folder_has_another_name(tmp_path: Path) -> None:
    before = MovableCheckpoint(tmp_path / "old", filename="best", monitor="val/accuracy", mode="max")
    path = str(tmp_path / "old" / "best.ckpt")
    before.best_model_path = before.kth_best_model_path = path
    before.best_model_score = before.kth_value = torch.tensor(0.65)
    before.best_k_models = {path: torch.tensor(0.65)}

    after = MovableCheckpoint(tmp_path / "new", filename="best", monitor="val/accuracy", mode="max")
    after.load_state_dict(before.state_dict())
    moved = str(tmp_path / "new" / "best.ckpt")
    assert after.best_model_path == moved
    assert after.best_model_score == torch.tensor(0.65)
    assert after.best_k_models == {moved: torch.tensor(0.65)}
