import torch
from measure import measure

a, b = torch.randn(1024, 1024), torch.randn(1024, 1024)
measure(5, lambda: a @ b)
