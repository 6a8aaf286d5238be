"""What is seen to before a run begins: packages, addresses, keys. Imports no torch."""

import os
from collections.abc import Iterable

from fashseg.config import Logger, Train
from fashseg.errors import UserError
from fashseg.extras import require
from fashseg.run import is_first_process
from fashseg.text import printable
from fashseg.trackers.answering import require_answer
from fashseg.trackers.mlflow_store import VARIABLE, address, artifacts, mlflow_settings, shown_address
from fashseg.trackers.secrets import has_password, redacted

# What each extra brings; the database that MLflow keeps by itself needs the last two.
PACKAGES = {"mlflow": ("mlflow", "sqlalchemy", "alembic"), "wandb": ("wandb",)}


def require_trackers(plans: Iterable[Train]) -> None:
    """See that what the runs log to is there and answers.

    Raises:
        UserError: a package is not installed, or a tracker can't be used.
    """
    if not is_first_process():
        return
    seen: list[Logger] = []
    for plan in plans:
        if plan.logger in seen:
            continue
        seen.append(plan.logger)
        _require_packages(plan.logger)
        if not plan.logger.project.strip():
            raise UserError("logger.project is empty.", "Give it a name, such as logger.project=fashseg.")
        if plan.logger.mlflow:
            _require_mlflow(plan.logger)
        if plan.logger.wandb:
            _require_wandb(plan.logger)


def _require_packages(options: Logger) -> None:
    for name, packages in PACKAGES.items():
        if getattr(options, name):
            require(f"logger={name}", packages, name, "choose logger=tensorboard")


def _require_mlflow(options: Logger) -> None:
    """The store answers, and has the experiment: many runs at once need not make it."""
    if options.mlflow_uri and has_password(options.mlflow_uri):
        raise UserError(
            "logger.mlflow_uri names a user or a password, and config.yaml would keep it.",
            f"Give the address by the variable {VARIABLE}, or the two by MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD.",
        )
    uri = address(options)
    try:
        require_answer(uri)
        with mlflow_settings():
            from mlflow import MlflowClient

            client = MlflowClient(uri)
            found = client.get_experiment_by_name(options.project)
            if found is None:
                client.create_experiment(options.project, artifact_location=artifacts(uri))
    except Exception as error:
        reason = redacted(str(error).strip().partition("\n")[0][:300]) or type(error).__name__
        raise UserError(
            f"MLflow at {shown_address(options)} can't be used: {reason.rstrip('.')}.",
            f"Start its server, or name another one by logger.mlflow_uri= or {VARIABLE}; logger=tensorboard needs "
            "none.",
        ) from error
    if found is not None and found.lifecycle_stage != "active":
        raise UserError(
            f"logger.project={options.project}: this experiment of MLflow's was deleted.",
            "Bring it back by mlflow experiments restore, or choose another logger.project.",
        )


def _require_wandb(options: Logger) -> None:
    from fashseg.trackers.wandb_login import logged_in

    if options.wandb_mode == "offline":
        return
    wanted = options.wandb_mode == "online"
    switch = os.environ.get("WANDB_MODE", "online")
    if wanted and switch != "online":
        raise UserError(
            f"logger.wandb_mode=online, but the variable WANDB_MODE={switch} says otherwise.", "Take one of them back."
        )
    try:
        there = logged_in(verify=wanted)
    except Exception as error:
        reason = redacted(str(error).strip().partition("\n")[0][:300])
        raise UserError(
            f"logger.wandb_mode={options.wandb_mode}: {reason.rstrip('.')}.",
            "Mend the key by wandb login, or choose logger.wandb_mode=offline.",
        ) from error
    if wanted and not there:
        raise UserError(
            "logger.wandb_mode=online: you are not logged in to Weights & Biases.",
            "Log in by wandb login or the variable WANDB_API_KEY, or choose logger.wandb_mode=offline.",
        )
    if not there:
        why = "not logged in" if switch == "online" else f"WANDB_MODE={switch}"
        print(printable(f"Weights & Biases: {why}, so the run is kept on disk, to be sent by wandb sync"))
