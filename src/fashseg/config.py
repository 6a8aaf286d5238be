"""Every option of a run: names, types, defaults, ranges, meaning. Imports neither torch nor Hydra.

A group of options (``model``, ``data``, ...) has one dataclass for each choice, found by the choice's ``name`` in
`CHOICES`; what all choices of a group share is in its base class. The YAML files in ``conf/`` hold the defaults a
user sees and changes; `fashseg.checking` holds them against these classes.
"""

from dataclasses import dataclass, field

from fashseg.choices import (
    BEFORE,
    CHOICES,
    LOSS_TASKS,
    SGD,
    SHARING_LOSSES,
    TASKS,
    Adam,
    Augment,
    Cosine,
    Flip,
    FlipShift,
    Garment,
    OneCycle,
    Optimizer,
    Photo,
    Scheduler,
    option,
)
from fashseg.data_choices import (
    FOLD_SEED,
    CMPFacade,
    Data,
    Facade,
    FashionMNIST,
    ImageFolder,
    MaskFolder,
    OwnData,
    Streaming,
    Synthetic,
)
from fashseg.library_choices import SMP, Library, Timm
from fashseg.loss_choices import Binary, ClassBalanced, CrossEntropy, Dice, Distill, Focal, Loss, Lovasz
from fashseg.model_choices import CNN, VGG, Model, ResNet, SegNet, UNet, WideResNet

__all__ = [
    "BEFORE",
    "CHOICES",
    "CNN",
    "EMA",
    "FOLD_SEED",
    "LOSS_TASKS",
    "PLUGINS",
    "SGD",
    "SHARING_LOSSES",
    "SMP",
    "TASKS",
    "VGG",
    "Adam",
    "Augment",
    "Binary",
    "CMPFacade",
    "Callbacks",
    "Checkpoint",
    "ClassBalanced",
    "Convergence",
    "Cosine",
    "CrossEntropy",
    "Data",
    "Dice",
    "Distill",
    "Facade",
    "FashionMNIST",
    "Flip",
    "FlipShift",
    "Focal",
    "Garment",
    "ImageFolder",
    "Library",
    "Logger",
    "Loss",
    "Lovasz",
    "MaskFolder",
    "Model",
    "OneCycle",
    "Optimizer",
    "OwnData",
    "Photo",
    "ResNet",
    "Scheduler",
    "SegNet",
    "Streaming",
    "Synthetic",
    "Timm",
    "Train",
    "Trainer",
    "UNet",
    "WideResNet",
    "option",
]

PLUGINS = "your own code that registers models, data sets and losses: files, such as my/plugin.py, or modules"
"""The meaning of the option ``plugins``, which every command has that may need a model, a data set or a loss."""


@dataclass
class Trainer:
    """Where and how the training runs, and its limits while one develops."""

    accelerator: str = option("auto", "auto takes a GPU where there is one", choices=("auto", "cpu", "gpu", "mps"))
    devices: int | str = option(
        1, "how many of them on each machine; auto: all its GPUs, one process on a CPU", choices=("auto",), ge=1
    )
    nodes: int = option(1, "how many machines; torchrun and srun set it", ge=1)
    strategy: str = option(
        "auto",
        "how several devices share the work: ddp, each has the whole network; fsdp, each a part of it",
        choices=("auto", "ddp", "fsdp"),
    )
    precision: str = option(
        "auto",
        "auto: bf16 where the hardware computes it natively, else 32; bf16 and 16 are mixed precision",
        choices=("auto", "32", "bf16", "16", "64"),
    )
    deterministic: bool = option(False, "refuse operations that may differ from run to run")
    gradient_clip: float | None = option(None, "largest norm of the gradient; null leaves it alone", gt=0)
    steps_per_call: int | None = option(
        None, "training steps in a call of Lightning's loop; null: as many as pay, 1: its own loop", ge=1
    )
    compile: bool | str = option(
        "auto", "true: torch.compile, which needs a C++ compiler; auto: where it was measured to pay", choices=("auto",)
    )
    limit_batches: int | None = option(None, "use only so many batches of each set; null uses all", ge=1)
    overfit_batches: int | None = option(None, "train, validate and test on these first batches alone", ge=1)
    profiler: str | None = option(None, "writes a profile beside run.log", choices=("simple", "advanced", "pytorch"))


@dataclass
class Logger:
    """Where the curves go besides metrics.csv."""

    tensorboard: bool = option(True, "write RUN/tensorboard")
    csv: bool = option(False, "write RUN/csv: what TensorBoard has of curves, as a table")
    mlflow: bool = option(False, "a run of MLflow's")
    wandb: bool = option(False, "a run of Weights & Biases")
    pictures_every: int | None = option(
        5, "epochs between pictures, which take a twentieth of the time at most; null draws none", ge=1
    )
    project: str = option("fashseg", "experiment of MLflow, project of Weights & Biases")
    run_name: str | None = option(None, "name of the run in them; null: that of its folder")
    group: str | None = option(None, "runs that are shown together; null: those of a sweep are, by its folder's name")
    tags: list[str] = option([], "words to find the run by in them")
    mlflow_uri: str | None = option(
        None, "server or database of MLflow; null: $MLFLOW_TRACKING_URI, or sqlite:///outputs/mlflow.db"
    )
    wandb_mode: str = option(
        "auto",
        "auto: online where one is logged in and wandb answers, else offline, to be sent later",
        choices=("auto", "online", "offline"),
    )
    wandb_entity: str | None = option(None, "user or team whose project it is; null: wandb's own default")


@dataclass
class Convergence:
    """The report's rule for the end of training."""

    threshold: float | None = option(
        None, "stop when the training losses of two successive epochs differ by less; null never does", gt=0
    )
    min_epochs: int = option(0, "not before so many epochs", ge=0)


@dataclass
class EMA:
    """An exponential moving average of the weights, which is scored and kept in their place."""

    decay: float | None = option(
        None,
        "share of the average that an optimizer step keeps, after a rise from 0.1; null averages nothing",
        gt=0,
        lt=1,
    )


@dataclass
class Callbacks:
    """What happens beside training."""

    convergence: Convergence = field(default_factory=Convergence)
    ema: EMA = field(default_factory=EMA)
    progress: str = option(
        "auto", "auto: lines and a bar on a terminal, lines elsewhere", choices=("auto", "bar", "lines", "none")
    )


@dataclass
class Checkpoint:
    """When the state of a run is saved, besides at the end of each epoch."""

    every_seconds: float | None = option(
        300.0, "save within an epoch, too, when so many seconds have passed; null does not", gt=0
    )


@dataclass
class Train:
    """All options of ``python -m fashseg.train``."""

    model: Model = field(default_factory=Model)
    data: Data = field(default_factory=Data)
    optimizer: Optimizer = field(default_factory=Optimizer)
    scheduler: Scheduler = field(default_factory=Scheduler)
    augment: Augment = field(default_factory=Augment)
    loss: Loss = field(default_factory=Loss)
    trainer: Trainer = field(default_factory=Trainer)
    logger: Logger = field(default_factory=Logger)
    callbacks: Callbacks = field(default_factory=Callbacks)
    checkpoint: Checkpoint = field(default_factory=Checkpoint)
    epochs: int = option(10, "passes over the training images", ge=1)
    batch_size: int = option(64, "training images a step, on each device", ge=1)
    eval_batch_size: int = option(500, "images a step where nothing is trained", ge=1)
    eval_train: bool | int = option(
        True, "training loss on fixed weights after each epoch: true, false, or on so many batches", ge=0
    )
    score_flips: bool = option(
        False, "at the end also score each image averaged with its mirror image, kept and shown apart"
    )
    seed: int = option(0, "seed of weights, order and split", ge=0, le=2**32 - 1)
    on_nan: str = option(
        "stop",
        "what a loss in training that is not finite does: stop ends the run, skip leaves the step out and counts it",
        choices=("stop", "skip"),
    )
    plugins: list[str] = option([], PLUGINS)
    notes: str = option("", "free text, kept with the results")
    page: bool = option(True, "make RUN/report.html; without it the run ends some seconds earlier")
    resume: str | None = option(
        None, "run folder to go on with; auto: the newest unfinished run of the same options, else a new one"
    )
    debug: bool = option(False, "show tracebacks")
