"""Fully sharded training by Lightning's strategy, with checkpoints that are the same as of any other run."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Any

import torch
from lightning_fabric.strategies.fsdp import _move_torchmetrics_to_device
from pytorch_lightning.strategies import FSDPStrategy
from torch import Tensor, nn, optim
from torch.distributed.fsdp import (
    FullOptimStateDictConfig,
    FullStateDictConfig,
    FullyShardedDataParallel,
    MixedPrecision,
    OptimStateKeyType,
    StateDictType,
)


class Shards(FSDPStrategy):
    """Lightning's FSDPStrategy, which works on a CPU too, and reads checkpoints without pickle.

    Numbers are cast by autocast alone, so that the same is computed as without shards. Of torch 2.15 it steers clear of
    three faults: on a CPU it has to be given the device; what it gathers there of the optimizer's state must not be
    "offloaded", or all of it is the same piece of memory; and the state of weights that lie in memory with the channels
    last is put in the wrong order when it is loaded.
    """

    def __init__(self) -> None:
        super().__init__(state_dict_type="full", mixed_precision=MixedPrecision())

    def _setup_model(self, model: nn.Module) -> nn.Module:
        sharded = FullyShardedDataParallel(
            model.to(memory_format=torch.contiguous_format),
            sharding_strategy=self.sharding_strategy,
            mixed_precision=self.mixed_precision_config,
            device_id=self.root_device,
            **self.kwargs,
        )
        _move_torchmetrics_to_device(sharded, self.root_device)
        return sharded

    def lightning_module_state_dict(self) -> dict[str, Any]:
        """All weights, on the first process alone."""
        with self._whole(rank0_only=True):
            return self._sharded.state_dict()

    def optimizer_state(self, optimizer: optim.Optimizer) -> dict[str, Any]:
        """All of its state, by the numbers of the parameters, on the first process alone."""
        bare = getattr(optimizer, "optimizer", optimizer)  # Lightning wraps it
        with self._whole(rank0_only=True):
            state = FullyShardedDataParallel.optim_state_dict(self._sharded, bare)
            if self.global_rank:
                return state
            return FullyShardedDataParallel.rekey_optim_state_dict(state, OptimStateKeyType.PARAM_ID, self._sharded)

    def load_checkpoint(self, checkpoint_path: Any, weights_only: bool | None = None) -> dict[str, Any]:
        """As any checkpoint is read here: Lightning's own way for shards would run what a file says."""
        checkpoint: dict[str, Any] = self.checkpoint_io.load_checkpoint(checkpoint_path, weights_only=True)
        with self._whole(rank0_only=False):
            self._sharded.load_state_dict(checkpoint.pop("state_dict"))
            for optimizer, state in zip(self.optimizers, checkpoint.pop("optimizer_states", []), strict=True):
                for values in state["state"].values():
                    values |= {key: value.contiguous() for key, value in values.items() if isinstance(value, Tensor)}
                named = FullyShardedDataParallel.rekey_optim_state_dict(
                    state, OptimStateKeyType.PARAM_NAME, self._sharded
                )
                mine = FullyShardedDataParallel.optim_state_dict_to_load(self._sharded, optimizer, named)
                optimizer.load_state_dict(mine)
        return checkpoint

    @property
    def _sharded(self) -> FullyShardedDataParallel:
        assert isinstance(self.model, FullyShardedDataParallel)
        return self.model

    @contextlib.contextmanager
    def _whole(self, *, rank0_only: bool) -> Iterator[None]:
        """In the block, states are those of the whole network."""
        offload = self.root_device.type != "cpu" and rank0_only
        with warnings.catch_warnings():
            # What torch advises in their place does not keep the format that all other runs have.
            warnings.filterwarnings("ignore", ".*being deprecated", FutureWarning)
            with FullyShardedDataParallel.state_dict_type(
                self._sharded,
                StateDictType.FULL_STATE_DICT,
                FullStateDictConfig(offload_to_cpu=offload, rank0_only=rank0_only),
                FullOptimStateDictConfig(offload_to_cpu=offload, rank0_only=rank0_only),
            ):
                yield
