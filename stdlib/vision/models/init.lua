--- torch.vision.models: networks for images with torchvision's names, state_dict keys and numbers, so that its
--- checkpoints load: `model:load_state_dict(torch.load "resnet18-f37072fd.pth")`.
--
-- Each function takes named arguments, `num_classes` (1000 unless it says otherwise) and those of its class; weights
-- are drawn as in the papers.

local lazy = require "torch.lazy"

local homes = {}
for file, names in pairs {
  lenet = "LeNet lenet",
  alexnet = "AlexNet alexnet",
  vgg = "VGG vgg11 vgg11_bn vgg13 vgg13_bn vgg16 vgg16_bn vgg19 vgg19_bn",
  resnet = [[ResNet resnet18 resnet34 resnet50 resnet101 resnet152 resnext50_32x4d resnext101_32x8d resnext101_64x4d
    wide_resnet50_2 wide_resnet101_2]],
  densenet = "DenseNet densenet121 densenet161 densenet169 densenet201",
  squeezenet = "SqueezeNet squeezenet1_0 squeezenet1_1",
  googlenet = "GoogLeNet googlenet",
  inception = "Inception3 inception_v3",
  mobilenet = "MobileNetV2 mobilenet_v2",
  mobilenet_v3 = "MobileNetV3 mobilenet_v3_large mobilenet_v3_small",
  shufflenet = [[ShuffleNetV2 shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0]],
  efficientnet = [[EfficientNet efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4
    efficientnet_b5 efficientnet_b6 efficientnet_b7]],
  convnext = "ConvNeXt convnext_tiny convnext_small convnext_base convnext_large",
  vision_transformer = "VisionTransformer vit_b_16 vit_b_32 vit_l_16 vit_l_32 vit_h_14",
} do
  for name in names:gmatch "%S+" do homes[name] = ("torch.vision.models.%s:%s"):format(file, name) end
end

return lazy.fields({}, homes)
