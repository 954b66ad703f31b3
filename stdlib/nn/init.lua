--- torch.nn: modules, their initialisation and their functional forms. Each is loaded when it is first asked for.

local torch = require "torch"
local lazy = require "torch.lazy"

return lazy.fields(torch.nn, {
  init = "torch.nn.initialise",
  utils = "torch.nn.utils",
  Module = "torch.nn.module",
  Parameter = "torch.nn.parameter",

  Sequential = "torch.nn.container:Sequential",
  ModuleList = "torch.nn.container:ModuleList",
  ModuleDict = "torch.nn.container:ModuleDict",
  ParameterList = "torch.nn.container:ParameterList",
  ParameterDict = "torch.nn.container:ParameterDict",

  Linear = "torch.nn.linear",
  Conv1d = "torch.nn.conv:Conv1d",
  Conv2d = "torch.nn.conv:Conv2d",
  Conv3d = "torch.nn.conv:Conv3d",
  MaxPool1d = "torch.nn.pooling:MaxPool1d",
  MaxPool2d = "torch.nn.pooling:MaxPool2d",
  MaxPool3d = "torch.nn.pooling:MaxPool3d",
  Dropout = "torch.nn.dropout",
  Identity = "torch.nn.shape:Identity",
  Flatten = "torch.nn.shape:Flatten",
  Unflatten = "torch.nn.shape:Unflatten",

  ReLU = "torch.nn.activation:ReLU",
  Sigmoid = "torch.nn.activation:Sigmoid",
  Tanh = "torch.nn.activation:Tanh",
  Softmax = "torch.nn.activation:Softmax",
  LogSoftmax = "torch.nn.activation:LogSoftmax",

  MSELoss = "torch.nn.loss:MSELoss",
  NLLLoss = "torch.nn.loss:NLLLoss",
  CrossEntropyLoss = "torch.nn.loss:CrossEntropyLoss",
})
