import torch
from bench import bench, finish

N = 10000000


def unary(name):
    x, f = torch.rand(N) * 8 + 0.01, getattr(torch, name)
    return lambda: f(x)


def gelu():
    x, f = torch.randn(N), torch.nn.functional.gelu
    return lambda: f(x)


def power():
    x = torch.rand(N) + 0.5
    return lambda: x.pow(2.3)


for name in ("exp", "log", "tanh", "sigmoid", "erf", "sin"):
    bench(name, lambda: unary(name))
bench("gelu", gelu)
bench("pow", power)
finish()
