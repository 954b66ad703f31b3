import torch
from bench import bench, finish
from torch import nn


def of(name, size, layer):
    def setup():
        x, f = torch.randn(size, requires_grad=True), layer()
        ones = torch.ones_like(f(x))

        def body():
            f(x).backward(ones)
            x.grad = None
        return body
    bench(name, setup)


of("conv_1_32", (64, 1, 28, 28), lambda: nn.Conv2d(1, 32, 3))
of("conv_32_64", (64, 32, 14, 14), lambda: nn.Conv2d(32, 64, 3))
of("conv_64_64", (8, 64, 56, 56), lambda: nn.Conv2d(64, 64, 3, padding=1))
of("conv_256_256", (8, 256, 14, 14), lambda: nn.Conv2d(256, 256, 3, padding=1))
of("depthwise", (8, 64, 56, 56), lambda: nn.Conv2d(64, 64, 3, padding=1, groups=64))
of("conv_1x1", (8, 64, 56, 56), lambda: nn.Conv2d(64, 256, 1))
of("conv1d", (32, 64, 1000), lambda: nn.Conv1d(64, 64, 5, padding=2))
of("transposed", (8, 64, 28, 28), lambda: nn.ConvTranspose2d(64, 32, 4, stride=2, padding=1))
of("max_pool", (32, 64, 56, 56), lambda: nn.MaxPool2d(2))
of("avg_pool", (32, 64, 56, 56), lambda: nn.AvgPool2d(2))
finish()
