import char_lm
import torch
from bench import bench, finish
from resnet import resnet18
from torch import nn, optim
from torch.nn import functional as F


def classifier(name, size, classes, model, optimizer):
    def setup():
        net, x, y = model(), torch.randn(size), torch.randint(0, classes, size[:1])
        opt = optimizer(net.parameters())

        def step():
            opt.zero_grad(set_to_none=True)
            F.cross_entropy(net(x), y).backward()
            opt.step()
        return step
    bench(name, setup)


def mlp():
    return nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))


def cnn():
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(64 * 25, 128), nn.ReLU(), nn.Linear(128, 10))


def lstm():
    net, x = nn.LSTM(128, 256, 2), torch.randn(64, 32, 128)
    opt = optim.Adam(net.parameters())

    def step():
        opt.zero_grad(set_to_none=True)
        net(x)[0].sum().backward()
        opt.step()
    return step


def gpt():
    model = char_lm.GPT()
    opt = char_lm.adamw(model)
    text = torch.randint(char_lm.VOCABULARY, (char_lm.BATCH, char_lm.CONTEXT + 1))
    return lambda: char_lm.step(model, opt, text[:, :-1], text[:, 1:])


def inference():
    net, x = resnet18().eval(), torch.randn(1, 3, 224, 224)

    def body():
        with torch.no_grad():
            return net(x)
    return body


classifier("mlp", (64, 784), 10, mlp, optim.Adam)
classifier("cnn", (64, 1, 28, 28), 10, cnn, optim.Adam)
bench("lstm", lstm)
bench("gpt", gpt)
classifier("resnet18", (8, 3, 224, 224), 1000, resnet18, lambda p: optim.SGD(p, lr=0.01, momentum=0.9))
bench("resnet18_inference", inference)
finish()
