import torch
from measure import measure

w, b = torch.randn(4, requires_grad=True), torch.randn(4)
measure(20000, lambda: (w * b).sum().backward())
