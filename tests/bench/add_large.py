import torch
from measure import measure

a, b = torch.randn(10000000), torch.randn(10000000)
measure(10, lambda: a + b)
