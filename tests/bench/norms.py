import torch
from bench import bench, finish
from torch.nn import functional as F


def of(name, size, body, extra=lambda: ()):
    def setup():
        x, more, ones = torch.randn(size, requires_grad=True), extra(), None

        def run():
            nonlocal ones
            y = body(x, *more)
            if ones is None:
                ones = torch.ones_like(y)
            y.backward(ones)
            x.grad = None
        return run
    bench(name, setup)


for rows, n in ((128, 1000), (4096, 4096)):
    of(f"softmax_{n}", (rows, n), lambda x: F.softmax(x, 1))
    of(f"log_softmax_{n}", (rows, n), lambda x: F.log_softmax(x, 1))
    of(f"layer_norm_{n}", (rows, n), lambda x, w, b: F.layer_norm(x, (n,), w, b),
       lambda: (torch.ones(n, requires_grad=True), torch.zeros(n, requires_grad=True)))
    of(f"cross_entropy_{n}", (rows, n), F.cross_entropy, lambda: (torch.randint(0, n, (rows,)),))
of("batch_norm", (32, 64, 56, 56), lambda x, layer: layer(x), lambda: (torch.nn.BatchNorm2d(64),))
finish()
