import torch
from bench import bench, finish

N, ROWS, COLUMNS = 10000000, 2500, 4000


def of(name, make, body):
    def setup():
        x = make()
        return lambda: body(*x)
    bench(name, setup)


def flat():
    return (torch.randn(N),)


def pair():
    return torch.randn(N), torch.randn(N)


def matrix(*more):
    return (torch.randn(ROWS, COLUMNS), *more)


def masked():
    x = torch.randn(N)
    return x, x > 0


def cube():
    return (torch.randn(200, 250, 200),)


of("add", pair, lambda a, b: a + b)
of("mul", pair, lambda a, b: a * b)
of("relu", flat, lambda x: x.relu())
of("add_row", lambda: matrix(torch.randn(COLUMNS)), lambda a, b: a + b)
of("add_column", lambda: matrix(torch.randn(ROWS, 1)), lambda a, b: a + b)
of("transposed", matrix, lambda x: x.t().contiguous())
of("strided", lambda: (torch.randn(ROWS, 2 * COLUMNS),), lambda x: x[:, ::2].contiguous())
of("cat", lambda: (torch.randn(N // 2), torch.randn(N // 2)), lambda a, b: torch.cat([a, b]))
of("index_select", lambda: matrix(torch.randperm(ROWS)), lambda x, i: x.index_select(0, i))
of("gather", lambda: (torch.randn(N), torch.randint(0, N, (N,))), lambda x, i: x.gather(0, i))
of("masked_select", masked, lambda x, m: x.masked_select(m))
of("cumsum", flat, lambda x: x.cumsum(0))
for name in ("sum", "mean", "var", "amax"):
    for dim in range(3):
        of(f"{name}{dim + 1}", cube, lambda x, f=getattr(torch, name), d=dim: f(x, d))
of("add_half", lambda: (torch.randn(N).half(), torch.randn(N).half()), lambda a, b: a + b)
of("add_bfloat16", lambda: (torch.randn(N).bfloat16(), torch.randn(N).bfloat16()), lambda a, b: a + b)
finish()
