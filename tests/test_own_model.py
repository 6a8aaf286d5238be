"""docs/own_model.md: its code is written into an empty folder, and its commands are run as they stand there."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import torch

TEXT = (Path(__file__).parents[1] / "docs" / "own_model.md").read_text(encoding="utf-8")


FILES = re.findall(r"^`([\w/.]+)`\n\n```(?:python|yaml)\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
COMMANDS = re.findall(r"^```sh\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)


def test_the_tutorial_runs_from_an_empty_folder(tmp_path: Path) -> None:
    assert len(FILES) == TEXT.count("```python") + TEXT.count("```yaml"), "each block of code has its file above it"
    for name, content in FILES:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    environment = {**os.environ, "FASHSEG_DATA": str(tmp_path / "other data sets")}
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    script = "set -e\n" + "".join(COMMANDS)
    done = subprocess.run(["sh", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    results = json.loads((tmp_path / "runs" / "poly" / "results.json").read_text(encoding="utf-8"))
    assert (results["model"], results["data"], results["loss"]) == ("tiny", "signs", "poly")
    assert results["images"] == {"train": 1080, "val": 120, "test": 300}
    assert results["test"]["accuracy"] > 0.9
    scored = json.loads((tmp_path / "runs" / "poly" / "evaluate_val_best.json").read_text(encoding="utf-8"))
    assert scored["val"]["accuracy"] == results["val"]["accuracy"]
    page = (tmp_path / "runs" / "poly" / "report.html").read_text(encoding="utf-8")
    assert "triangle" in page
    assert "loss=poly" in page
    assert "plugins=[own/plugin.py]" in page
    assert str(tmp_path / "own") not in page, "where somebody keeps their code is their affair"
    assert (tmp_path / "runs" / "both" / "compare.html").is_file()
    saved = torch.load(tmp_path / "runs" / "poly" / "checkpoints" / "best.ckpt", weights_only=True)
    assert saved["hyper_parameters"]["options"]["loss"] == {"name": "poly", "epsilon": 1.0}
