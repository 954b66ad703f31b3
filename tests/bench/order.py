import torch
from bench import bench, finish
from torch.nn import functional as F


def of(name, make, body):
    def setup():
        x = make()
        return lambda: body(*x)
    bench(name, setup)


def million():
    return (torch.randn(1000000),)


def rows():
    return (torch.randn(1000, 1000),)


of("sort", million, lambda x: x.sort())
of("sort_rows", rows, lambda x: x.sort(1))
of("topk", rows, lambda x: x.topk(10))
of("argmax", lambda: (torch.randn(1000, 10000),), lambda x: x.argmax(1))
of("unique", lambda: (torch.randint(1, 1000, (1000000,)),), lambda x: x.unique())
of("randn", lambda: (torch.empty(10000000),), lambda x: x.normal_())
of("bernoulli", lambda: (torch.empty(10000000),), lambda x: x.bernoulli_(0.5))
of("multinomial", lambda: (torch.rand(128, 1000),), lambda p: torch.multinomial(p, 10, True))
of("one_hot", lambda: (torch.randint(0, 1000, (10000,)),), lambda x: F.one_hot(x, 1000))
of("embedding", lambda: (torch.nn.Embedding(50000, 256), torch.randint(0, 50000, (64, 128))),
   lambda layer, x: layer(x).sum().backward())
finish()
