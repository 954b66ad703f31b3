import torch
from bench import bench, finish


def product(name, a, b, dtype=torch.float32):
    def setup():
        x, y = torch.randn(a).to(dtype), torch.randn(b).to(dtype)
        return lambda: x.matmul(y)
    bench(name, setup)


for n in (64, 256, 1024, 2048):
    product(f"mm_{n}", (n, n), (n, n))
    product(f"mm64_{n}", (n, n), (n, n), torch.float64)
product("mm_layer", (64, 784), (784, 256))
product("bmm", (64, 64, 64), (64, 64, 64))
product("mv", (4096, 4096), (4096,))
product("mm_bfloat16", (1024, 1024), (1024, 1024), torch.bfloat16)
finish()
