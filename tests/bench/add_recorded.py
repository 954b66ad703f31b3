import torch
from measure import measure

a, b = torch.randn(4, requires_grad=True), torch.randn(4)
measure(100000, lambda: a + b)
