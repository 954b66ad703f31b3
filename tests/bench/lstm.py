import torch
from measure import measure

torch.manual_seed(1)
lstm, x = torch.nn.LSTM(256, 256, 2), torch.randn(64, 32, 256)


def step():
    lstm.zero_grad(set_to_none=True)
    lstm(x)[0].sum().backward()


measure(3, step)
