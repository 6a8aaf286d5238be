"""What run= and model= name: a run folder, a model of the package, or a file of weights. Imports no torch."""

from importlib import resources
from pathlib import Path

from fashseg.errors import UserError
from fashseg.files import in_full
from fashseg.nearest import did_you_mean
from fashseg.run import RunFolder


def shipped() -> dict[str, Path]:
    """The models that come with the package, by name."""
    folder = Path(str(resources.files("fashseg"))) / "weights"
    return {path.stem: path for path in sorted(folder.glob("*.safetensors"))}


def require_run(run: str | None, checkpoint: str | None = None) -> RunFolder:
    """The folder of a run.

    Args:
        run: its path.
        checkpoint: ``best`` or ``last``, which has to be there; None asks for neither.

    Raises:
        UserError: nothing is given, or there is no such run.
    """
    if not run:
        raise UserError("run= is missing.", "Name a run folder, such as run=outputs/latest.")
    folder = RunFolder(in_full("run", run))
    folder.read_results()
    if checkpoint is not None:
        folder.require_checkpoint(checkpoint)
    return folder


def require_teacher(name: str) -> RunFolder | Path:
    """Where the weights of ``loss.teacher`` are.

    Raises:
        UserError: there is no such model, run or file.
    """
    is_file = name in shipped() or name.endswith(".safetensors")
    try:
        return require_model(model=name) if is_file else require_run(name, "best")
    except UserError as error:
        raise UserError(
            f"loss.teacher={name}: {error.what.removeprefix(f'model={name}: ')}",
            did_you_mean(
                name,
                shipped(),
                f"Name a model ({', '.join(shipped())}), the folder of a run, or a file of weights (.safetensors).",
            ),
        ) from error


def require_model(*, run: str | None = None, model: str | None = None, checkpoint: str = "best") -> RunFolder | Path:
    """Where the weights are: the folder of the run, whose checkpoint is there, or their file.

    Args:
        run: path of a run folder.
        model: name of a shipped model, or path of a file of weights.
        checkpoint: of the run, ``best`` or ``last``.

    Raises:
        UserError: neither or both are given, or there is no such model.
    """
    if run and model:
        raise UserError("One of run= and model= is needed, and not both.", "Leave one of them out.")
    if run:
        return require_run(run, checkpoint)
    names = shipped()
    models = f"a model: {', '.join(names)}" if names else "a file of weights by model=FILE.safetensors"
    there_are = f"Name a run folder, such as run=outputs/latest, or {models}."
    if not model:
        raise UserError("run= and model= are missing.", there_are)
    if model in names:
        return names[model]
    path = in_full("model", model)
    if path.suffix != ".safetensors":
        raise UserError(
            f"model={model} is neither a model of fashseg nor a file of weights (.safetensors).",
            did_you_mean(model, names, there_are),
        )
    if not path.is_file():
        raise UserError(f"model={model}: there is no such file.", there_are)
    return path
