--- torch.nn: modules, their initialisation and their functional forms. Each is loaded when it is first asked for.

local torch = require "torch"
local lazy = require "torch.lazy"

local homes = {
  init = "torch.nn.initialise",
  modules = "torch.nn.modules",
  grad = "torch.nn.grad",
  utils = "torch.nn.utils",
  Module = "torch.nn.module",
  Parameter = "torch.nn.parameter",
  MultiheadAttention = "torch.nn.attention",
}

-- Files with several classes.
for file, names in pairs {
  container = "Sequential ModuleList ModuleDict ParameterList ParameterDict",
  linear = "Linear Bilinear",
  conv = "Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d",
  pooling = [[MaxPool1d MaxPool2d MaxPool3d MaxUnpool1d MaxUnpool2d MaxUnpool3d AvgPool1d AvgPool2d AvgPool3d
    AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveMaxPool1d AdaptiveMaxPool2d AdaptiveMaxPool3d
    LPPool1d LPPool2d FractionalMaxPool2d FractionalMaxPool3d]],
  padding = [[ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d
    CircularPad1d CircularPad2d CircularPad3d ZeroPad1d ZeroPad2d ZeroPad3d ConstantPad1d ConstantPad2d
    ConstantPad3d]],
  norm = [[BatchNorm1d BatchNorm2d BatchNorm3d InstanceNorm1d InstanceNorm2d InstanceNorm3d LayerNorm RMSNorm GroupNorm
    LocalResponseNorm CrossMapLRN2d]],
  dropout = "Dropout Dropout1d Dropout2d Dropout3d AlphaDropout FeatureAlphaDropout",
  embedding = "Embedding EmbeddingBag",
  recurrent = "RNNBase RNN LSTM GRU RNNCellBase RNNCell LSTMCell GRUCell",
  transformer = [[Transformer TransformerEncoder TransformerDecoder TransformerEncoderLayer
    TransformerDecoderLayer]],
  shape = "Identity Flatten Unflatten",
  vision = "PixelShuffle PixelUnshuffle ChannelShuffle Unfold Fold Upsample UpsamplingNearest2d UpsamplingBilinear2d",
  distance = "CosineSimilarity PairwiseDistance",
  activation = [[ReLU ReLU6 SELU SiLU Mish Hardsigmoid Hardswish ELU CELU LeakyReLU Hardtanh Threshold GELU GLU Softmax
    LogSoftmax Softmin Softmax2d Softplus Hardshrink Softshrink Sigmoid Tanh LogSigmoid Softsign Tanhshrink RReLU
    PReLU]],
  loss = [[L1Loss MSELoss SmoothL1Loss HuberLoss NLLLoss NLLLoss2d CrossEntropyLoss BCELoss BCEWithLogitsLoss KLDivLoss
    PoissonNLLLoss GaussianNLLLoss HingeEmbeddingLoss MultiLabelMarginLoss MultiLabelSoftMarginLoss MultiMarginLoss
    SoftMarginLoss CosineEmbeddingLoss MarginRankingLoss TripletMarginLoss TripletMarginWithDistanceLoss CTCLoss]],
  adaptive_softmax = "AdaptiveLogSoftmaxWithLoss",
  lazy_modules = [[LazyLinear LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d LazyConvTranspose2d
    LazyConvTranspose3d LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyInstanceNorm1d LazyInstanceNorm2d
    LazyInstanceNorm3d]],
} do
  for name in names:gmatch "%S+" do homes[name] = ("torch.nn.%s:%s"):format(file, name) end
end

return lazy.fields(torch.nn, homes)
