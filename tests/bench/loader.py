import torch
from bench import bench, finish
from torch.utils.data import DataLoader, Dataset

images = torch.randint(0, 256, (6400, 28, 28), dtype=torch.uint8)
labels = torch.randint(0, 10, (6400,))


class Digits(Dataset):
    def __len__(self):
        return 6400

    def __getitem__(self, i):
        return images[i].float().div(255).sub(0.1307).div(0.3081), labels[i]


def loading(workers):
    loader = DataLoader(Digits(), batch_size=64, shuffle=True, num_workers=workers, persistent_workers=workers > 0)

    def body():
        for _ in loader:
            pass
    return body


for workers in (0, 2):
    for name in ("loader", "samples"):
        bench(f"{name}_{workers}", lambda: loading(workers))
finish()
