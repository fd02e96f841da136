"""DistributedDataParallel under torchrun: nothing to say to Weir, the launcher says it all.

pip install torch
torchrun --standalone --nproc-per-node 2 examples/03_torchrun.py
"""

from __future__ import annotations

import argparse

import torch
import torch.distributed as dist
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, TensorDataset
from torch.utils.data.distributed import DistributedSampler

import weir


def main() -> None:
    """Train on CPU with gloo; on GPUs say nccl and move model and batches."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--lr", type=float, default=1e-3)
    arguments = parser.parse_args()

    dist.init_process_group("gloo")
    torch.manual_seed(0)
    images, labels = load_digits(return_X_y=True)
    data = TensorDataset(torch.tensor(images, dtype=torch.float32) / 16, torch.tensor(labels))
    sampler = DistributedSampler(data)
    model = DistributedDataParallel(
        nn.Sequential(nn.Linear(64, 128), nn.ReLU(), nn.Dropout(0.2), nn.Linear(128, 10))
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=arguments.lr)
    criterion = nn.CrossEntropyLoss()

    # Every rank calls init; torchrun's job id makes it one run, RANK and WORLD_SIZE place the rank.
    with weir.init(project="digits-torch", config=vars(arguments)) as run:
        for epoch in range(arguments.epochs):
            sampler.set_epoch(epoch)
            for batch, target in DataLoader(data, batch_size=arguments.batch, sampler=sampler):
                optimizer.zero_grad()
                output = model(batch)
                loss = criterion(output, target)
                loss.backward()
                optimizer.step()
                accuracy = (output.argmax(dim=1) == target).float().mean()
                run.log({"train": {"loss": loss, "accuracy": accuracy}, "epoch": epoch})
        if dist.get_rank() == 0:
            run.summary["parameters"] = sum(p.numel() for p in model.parameters())
    dist.destroy_process_group()


if __name__ == "__main__":
    main()
