import torch
from bench import bench, finish


def add(recorded=False):
    a, b = torch.randn(4, requires_grad=recorded), torch.randn(4)
    return lambda: a + b


def chain():
    x = torch.randn(64)

    def body():
        y = x
        for _ in range(5):
            y = ((y + x) * x - x).tanh()
        return y
    return body


def backward():
    w, b = torch.randn(4, requires_grad=True), torch.randn(4)
    return lambda: (w * b).sum().backward()


def row():
    x = torch.randn(16, 16)
    return lambda: x[2]


def linear():
    layer, x = torch.nn.Linear(16, 16), torch.randn(1, 16)
    return lambda: layer(x).sum().backward()


bench("add", add)
bench("add_recorded", lambda: add(True))
bench("chain", chain)
bench("backward", backward)
bench("row", row)
bench("linear", linear)
finish()
