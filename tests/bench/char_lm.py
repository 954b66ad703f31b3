import math

import torch
from torch import nn
from torch.nn import functional as F

VOCABULARY, WIDTH, LAYERS, HEADS, CONTEXT, BATCH = 65, 128, 4, 4, 64, 12


class LayerNorm(nn.Module):
    """Layer normalisation without a bias, which nn.LayerNorm of PyTorch 1.13 always has."""

    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.layer_norm(x, self.weight.shape, self.weight, None)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(WIDTH, 3 * WIDTH, bias=False)
        self.proj = nn.Linear(WIDTH, WIDTH, bias=False)
        self.register_buffer("hidden", torch.ones(CONTEXT, CONTEXT).tril() == 0, persistent=False)

    def forward(self, x):
        n, t, width = x.shape
        q, k, v = (part.view(n, t, HEADS, width // HEADS).transpose(1, 2) for part in self.qkv(x).split(width, 2))
        scores = (q @ k.transpose(-2, -1)) * (1 / math.sqrt(k.size(-1)))
        weights = scores.masked_fill(self.hidden[:t, :t], -math.inf).softmax(-1)
        return self.proj((weights @ v).transpose(1, 2).reshape(n, t, width))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.attention, self.norm2 = LayerNorm(WIDTH), Attention(), LayerNorm(WIDTH)
        self.up = nn.Linear(WIDTH, 4 * WIDTH, bias=False)
        self.proj = nn.Linear(4 * WIDTH, WIDTH, bias=False)

    def forward(self, x):
        x = x + self.attention(self.norm1(x))
        return x + self.proj(F.gelu(self.up(self.norm2(x))))


class GPT(nn.Module):
    """examples/char_lm/gpt.lua in PyTorch."""

    def __init__(self, vocabulary=VOCABULARY):
        super().__init__()
        self.token, self.position = nn.Embedding(vocabulary, WIDTH), nn.Embedding(CONTEXT, WIDTH)
        self.blocks = nn.ModuleList(Block() for _ in range(LAYERS))
        self.norm = LayerNorm(WIDTH)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                nn.init.normal_(p, 0, 0.02 / math.sqrt(2 * LAYERS) if "proj" in name else 0.02)

    def forward(self, ids):
        x = self.token(ids) + self.position.weight[:ids.size(1)]
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.token.weight)


def groups(model):
    """Weight decay of 0.1 on matrices only."""
    return [{"params": [p for p in model.parameters() if p.dim() > 1], "weight_decay": 0.1},
            {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0}]


def adamw(model):
    return torch.optim.AdamW(groups(model), lr=1e-3, betas=(0.9, 0.99))


def step(model, optimizer, x, y):
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1)
    optimizer.step()
    return loss.item()


def rate(step, steps=2000, warmup=100):
    """Of the highest learning rate: a line up, then half a cosine down to a tenth."""
    if step < warmup:
        return (step + 1) / (warmup + 1)
    return 0.1 + 0.9 * 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup)))


def train(path, steps=2000):
    """The whole recipe on a text, with the loss over all of its last tenth every 250 steps."""
    import time

    data = torch.tensor(list(open(path, "rb").read())).unique(return_inverse=True)[1]
    n = int(0.9 * len(data))
    windows = data[n:n + (len(data) - n - 1) // CONTEXT * CONTEXT + 1].unfold(0, CONTEXT + 1, CONTEXT)
    model = GPT(int(data.max()) + 1)
    optimizer = adamw(model)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda i: rate(i, steps))
    begun, apart = time.monotonic(), 0
    for i in range(steps):
        start = torch.randint(n - CONTEXT, (BATCH, 1))
        text = data[start + torch.arange(CONTEXT + 1)]
        step(model, optimizer, text[:, :-1], text[:, 1:])
        schedule.step()
        if (i + 1) % 250 == 0:
            paused = time.monotonic()
            with torch.no_grad():
                loss = sum(F.cross_entropy(model(w[:, :-1]).flatten(0, 1), w[:, 1:].flatten()).item() * len(w)
                           for w in windows.split(64)) / len(windows)
            apart += time.monotonic() - paused
            print(f"step {i + 1}: validation loss {loss:.4f}, {time.monotonic() - begun - apart:.0f} s", flush=True)


if __name__ == "__main__":  # char_lm.py FILE: trains on a text
    import sys

    torch.manual_seed(1)
    train(sys.argv[1])
