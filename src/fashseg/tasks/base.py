"""What both tasks share: one step for training, validation and test, and what is logged at the end of an epoch."""

from typing import Any, ClassVar, cast

import torch
from pytorch_lightning import LightningModule
from torch import Tensor, nn
from torchmetrics import Metric

from fashseg.choices import BEFORE
from fashseg.data.arrays import Batch
from fashseg.data.info import DataInfo
from fashseg.data.loading import Steps, TrainLoader
from fashseg.errors import RunError
from fashseg.losses import build_loss, cross_entropy
from fashseg.metrics.totals import Totals
from fashseg.models import build_model
from fashseg.network import averaged_over_flips
from fashseg.ranks.group import any_of, average_buffers
from fashseg.tasks import meters
from fashseg.tasks.as_written import as_written
from fashseg.tasks.averaging import Average
from fashseg.tasks.class_weights import weigh_classes
from fashseg.tasks.guard import Guard
from fashseg.tasks.optimizers import keep_kind, optimizer_and_schedule
from fashseg.tasks.options import Options, typed
from fashseg.tasks.preparing import prepare
from fashseg.tasks.state import restore_state, saved_state
from fashseg.tasks.stepping import Pending, Stepper, align_counters, take_or_leave
from fashseg.tasks.teaching import Teacher

Scores = dict[str, Any]


class Task(LightningModule):
    """A network with its loss, which is minimised, optimizer and metrics; scores hold the cross-entropy in any case.

    The hyper-parameters are plain containers, so that a checkpoint loads with ``weights_only=True`` and is enough to
    build the task again: ``ClassificationTask.load_from_checkpoint(path, weights_only=True)``.

    Args:
        options: see `Options`.
        info: a `DataInfo` as `DataInfo.to_dict` gives it.

    Attributes:
        scores: of the parts that were scored last, in the shape that results.json has.
        flips: average logits over an image and its mirror image where images are scored.
        gradient_clip: largest norm of the gradient; None leaves it alone.
        compiled_size: images of the batches for which a network is compiled that is to be; None is any number.
        graphed: whether steps are recorded as a CUDA graph, see `fashseg.tasks.graphed`.
        guard: what becomes of steps whose loss is not finite.
        stepper: takes the steps of a call, once it is trained.
        pending: the step that Lightning's own loop is about to take.
        average: of the weights, which is scored in their place; None scores themselves.
        teacher: whose answers are learnt in place of the labels; None learns these.

    Shapes:
        Images are (N, C, H, W), uint8 or float on the scale of 0 to 255.
    """

    # The validation score that chooses the best checkpoint: higher is better.
    main_score: ClassVar[str]
    mean: Tensor
    std: Tensor

    def __init__(self, options: Options, info: dict[str, Any]) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.options, self.info = options, DataInfo.from_dict(info)
        model = build_model(typed("model", options["model"]), self.info.shape, len(self.info.class_names))
        self.model = model.to(memory_format=torch.channels_last)
        self.loss = build_loss(typed("loss", options.get("loss", BEFORE["loss"])), self.info.ignore)
        self.entropy = cross_entropy(self.info.ignore)
        self.augmentation = typed("augment", options["augment"])
        self.register_buffer("mean", torch.tensor(self.info.mean).reshape(1, -1, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(self.info.std).reshape(1, -1, 1, 1), persistent=False)
        self.running, self.fixed = Totals(self.info.ignore), Totals(self.info.ignore)
        self.meters = nn.ModuleDict({part: nn.ModuleDict(self.make_meters()) for part in ("val", "test")})
        self.scores, self._restored = Scores(), dict[str, Any]()
        self.gradient_clip: float | None = None
        self.compiled_size: int | None = None
        self.flips = self.graphed = False
        self.guard = Guard(self.model, skip=False)
        self.stepper: Stepper | None = None
        self.pending: Pending | None = None
        self.average: Average | None = None
        self.teacher: Teacher | None = None

    def make_meters(self) -> dict[str, Metric]:
        """The metrics of a scored part; ``totals`` is among them."""
        raise NotImplementedError

    def read_meters(self, values: dict[str, Any]) -> Scores:
        """Their values by name, in the shape that results.json has."""
        raise NotImplementedError

    def by_class(self, scores: Scores) -> tuple[str, dict[str, float]]:
        """Name and values of the score that is followed class by class."""
        raise NotImplementedError

    def forward(self, images: Tensor) -> Tensor:
        """Logits of images with pixel values of 0 to 255."""
        images = images.to(self.mean.dtype, memory_format=torch.channels_last)
        # The last batch of an epoch, which has another size, is not worth a compilation of its own.
        compiled = self.training and self.compiled_size in (None, len(images))
        with as_written(self.model, unless=compiled):
            logits: Tensor = self.model((images - self.mean) / self.std)
        return logits

    def loss_of(self, images: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        """What is minimised of a batch, and its logits."""
        logits = self(images)
        return self.loss(logits, targets), logits

    def on_train_start(self) -> None:
        """Go on as this run is to be, where a checkpoint of one of another kind was loaded."""
        for optimizer in self.trainer.optimizers:
            keep_kind(optimizer, recordable=self.graphed)
        align_counters(self.trainer)
        weigh_classes(self.loss, self.trainer, self.info)
        if self.global_rank:  # each process leaves out other units
            torch.manual_seed(self.options["seed"] * 1_000_003 + self.global_rank)
        self.trainer.should_stop = any_of(self.trainer.should_stop, self.device)
        if self._restored:
            restore_state(self._restored, self.running, self.guard, self.trainer)
            self._restored = {}

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Add what a run within an epoch needs to go on as if it had not been stopped."""
        checkpoint["within_epoch"] = saved_state(self.running, self.guard, self.trainer)

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Keep it until everything else is set up."""
        self._restored = checkpoint.get("within_epoch", {})

    def training_step(self, batch: Batch | Steps, batch_idx: int) -> Tensor | None:
        """Loss of one batch with moving weights; or, on the batches of several steps, all those steps."""
        if isinstance(batch, Steps):
            self.stepper = self.stepper or Stepper(self)
            self.stepper.train_on(batch)
            return None
        self.guard.before()
        images, targets = self.prepared(batch, self.global_step)
        loss, logits = self.loss_of(images, targets)
        self.pending = Pending.of(self.trainer, batch_idx, loss, logits, targets, self.info.ignore)
        return loss * self.pending.weight if self.trainer.world_size > 1 else loss

    def on_before_optimizer_step(self, optimizer: Any) -> None:
        """In Lightning's own loop, with the gradient of all processes."""
        if self.automatic_optimization:
            take_or_leave(self, optimizer)

    def prepared(self, batch: Batch, step: int) -> Batch:
        """A training batch as it is trained on; ``step`` fixes what is drawn: augmentation, windows, mixing."""
        if self.teacher and self.teacher.options.ways:
            step %= self.teacher.options.ways * cast(TrainLoader, self.trainer.train_dataloader).steps
        seed = self.options["seed"] * 1_000_003 + self.global_rank * 7_368_787 + step
        return prepare(batch, self.augmentation, self.info, seed, self.teacher)

    def clip(self) -> None:
        """Shorten the gradient where its norm is above ``gradient_clip``."""
        if self.gradient_clip is not None:
            self.guard.clip(list(self.parameters()), self.gradient_clip)

    def configure_gradient_clipping(self, optimizer: Any, *_: Any, **__: Any) -> None:
        """In Lightning's own loop, which would refuse to clip for a fused optimizer."""
        self.clip()

    def validation_step(self, batch: Batch, batch_idx: int, dataloader_idx: int = 0) -> None:
        """One batch of the validation images (0) or of the training images on fixed weights (1)."""
        del batch_idx
        self._evaluate(batch, *([self.fixed] if dataloader_idx else self._meters("val").values()))

    def test_step(self, batch: Batch, batch_idx: int) -> None:
        """One batch of the images to score."""
        del batch_idx
        self._evaluate(batch, *self._meters("test").values())

    def _evaluate(self, batch: Batch, *which: Metric) -> None:
        """By the cross-entropy, whatever is minimised, and never in mixed precision: so runs can be compared.

        An NVIDIA GPU rounds what it convolves to the 11 bits of TF32 all the same: PyTorch's own habit, which is kept.
        """
        images, targets = batch
        with torch.autocast(self.device.type, enabled=False):
            logits = averaged_over_flips(self, images) if self.flips else self(images)
            if len(targets):  # else another process has a batch more: see EvalLoader
                meters.update(which, self.entropy(logits, targets), logits, targets)

    def on_validation_epoch_start(self) -> None:
        """Look whether anything was learnt before it is scored.

        Raises:
            RunError: no step of the epoch was taken.
        """
        average_buffers(self.model)
        if self.guard.skipped and not self.running.update_called:
            raise RunError(
                f"training diverged: no step of epoch {self.current_epoch + 1} has a finite loss, all were left out.",
                "Try a smaller optimizer.lr, or trainer.gradient_clip=1.",
            )

    def on_validation_epoch_end(self) -> None:
        """Log what the epoch has come to."""
        scores = self._read("val")
        row = {
            "val/loss": scores["loss"],
            "val/accuracy": scores.get("accuracy", scores.get("pixel_accuracy")),
            f"val/{self.main_score}": self.main(scores),
        }
        row |= meters.read_training(self.running, self.fixed, self.device)
        kind, values = self.by_class(scores)
        row |= {f"val_{kind}/{name}": value for name, value in values.items() if value == value}
        row["learning_rate"] = float(self.trainer.optimizers[0].param_groups[0]["lr"])
        # By themselves loggers would count calls of Lightning's loop, each of several steps.
        row |= {"step": self.trainer.global_step, "epoch": self.current_epoch}
        self.log_dict({key: torch.tensor(value, dtype=torch.float64) for key, value in row.items()})

    def on_train_epoch_end(self) -> None:
        """What one process has decided alone, such as a search that ends a trial, ends all."""
        self.trainer.should_stop = any_of(self.trainer.should_stop, self.device)

    def on_test_epoch_end(self) -> None:
        """Keep the scores."""
        self._read("test")

    def _meters(self, part: str) -> dict[str, Metric]:
        return dict(cast(nn.ModuleDict, self.meters[part]).items())  # type: ignore[arg-type]

    def _read(self, part: str) -> Scores:
        scores = self.scores[part] = self.read_meters(meters.read(self._meters(part)))
        return scores

    def main(self, scores: Scores) -> float:
        """The main score, a number."""
        value = scores[self.main_score]
        return float(value["mean"] if isinstance(value, dict) else value)

    def configure_optimizers(self) -> Any:
        """Optimizer and, step by step, the schedule."""
        self.stepper = None  # of another optimizer
        return optimizer_and_schedule(
            typed("optimizer", self.options["optimizer"]),
            typed("scheduler", self.options["scheduler"]),
            self.parameters(),
            self.trainer,
            recordable=self.graphed,
        )
