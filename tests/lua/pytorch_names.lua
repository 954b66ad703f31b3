--- The public names of PyTorch 1.13's modules, by Python's `dir`, without what they import from elsewhere. nn.Module
--- stands for the methods of modules.
return {
  ["torch.nn"] = [[
    AdaptiveAvgPool1d AdaptiveAvgPool2d AdaptiveAvgPool3d AdaptiveLogSoftmaxWithLoss AdaptiveMaxPool1d
    AdaptiveMaxPool2d AdaptiveMaxPool3d AlphaDropout AvgPool1d AvgPool2d AvgPool3d BCELoss BCEWithLogitsLoss
    BatchNorm1d BatchNorm2d BatchNorm3d Bilinear CELU CTCLoss ChannelShuffle ConstantPad1d ConstantPad2d
    ConstantPad3d Container Conv1d Conv2d Conv3d ConvTranspose1d ConvTranspose2d ConvTranspose3d CosineEmbeddingLoss
    CosineSimilarity CrossEntropyLoss CrossMapLRN2d DataParallel Dropout Dropout1d Dropout2d Dropout3d ELU Embedding
    EmbeddingBag FeatureAlphaDropout Flatten Fold FractionalMaxPool2d FractionalMaxPool3d GELU GLU GRU GRUCell
    GaussianNLLLoss GroupNorm Hardshrink Hardsigmoid Hardswish Hardtanh HingeEmbeddingLoss HuberLoss Identity
    InstanceNorm1d InstanceNorm2d InstanceNorm3d KLDivLoss L1Loss LPPool1d LPPool2d LSTM LSTMCell LayerNorm
    LazyBatchNorm1d LazyBatchNorm2d LazyBatchNorm3d LazyConv1d LazyConv2d LazyConv3d LazyConvTranspose1d
    LazyConvTranspose2d LazyConvTranspose3d LazyInstanceNorm1d LazyInstanceNorm2d LazyInstanceNorm3d LazyLinear
    LeakyReLU Linear LocalResponseNorm LogSigmoid LogSoftmax MSELoss MarginRankingLoss MaxPool1d MaxPool2d MaxPool3d
    MaxUnpool1d MaxUnpool2d MaxUnpool3d Mish Module ModuleDict ModuleList MultiLabelMarginLoss
    MultiLabelSoftMarginLoss MultiMarginLoss MultiheadAttention NLLLoss NLLLoss2d PReLU PairwiseDistance Parameter
    ParameterDict ParameterList PixelShuffle PixelUnshuffle PoissonNLLLoss RNN RNNBase RNNCell RNNCellBase RReLU
    ReLU ReLU6 ReflectionPad1d ReflectionPad2d ReflectionPad3d ReplicationPad1d ReplicationPad2d ReplicationPad3d
    SELU Sequential SiLU Sigmoid SmoothL1Loss SoftMarginLoss Softmax Softmax2d Softmin Softplus Softshrink Softsign
    SyncBatchNorm Tanh Tanhshrink Threshold Transformer TransformerDecoder TransformerDecoderLayer
    TransformerEncoder TransformerEncoderLayer TripletMarginLoss TripletMarginWithDistanceLoss Unflatten Unfold
    UninitializedBuffer UninitializedParameter Upsample UpsamplingBilinear2d UpsamplingNearest2d ZeroPad2d
    common_types factory_kwargs functional grad init intrinsic modules parallel parameter qat quantizable quantized
    utils]],
  ["torch.nn.functional"] = [[
    adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d adaptive_max_pool1d adaptive_max_pool1d_with_indices
    adaptive_max_pool2d adaptive_max_pool2d_with_indices adaptive_max_pool3d adaptive_max_pool3d_with_indices
    affine_grid alpha_dropout avg_pool1d avg_pool2d avg_pool3d batch_norm bilinear binary_cross_entropy
    binary_cross_entropy_with_logits celu celu_ channel_shuffle conv1d conv2d conv3d conv_tbc conv_transpose1d
    conv_transpose2d conv_transpose3d cosine_embedding_loss cosine_similarity cross_entropy ctc_loss dropout
    dropout1d dropout2d dropout3d elu elu_ embedding embedding_bag feature_alpha_dropout fold fractional_max_pool2d
    fractional_max_pool2d_with_indices fractional_max_pool3d fractional_max_pool3d_with_indices gaussian_nll_loss
    gelu glu grid_sample group_norm gumbel_softmax hardshrink hardsigmoid hardswish hardtanh hardtanh_
    hinge_embedding_loss huber_loss instance_norm interpolate kl_div l1_loss layer_norm leaky_relu leaky_relu_
    linear local_response_norm log_softmax logsigmoid lp_pool1d lp_pool2d margin_ranking_loss max_pool1d
    max_pool1d_with_indices max_pool2d max_pool2d_with_indices max_pool3d max_pool3d_with_indices max_unpool1d
    max_unpool2d max_unpool3d mish mse_loss multi_head_attention_forward multi_margin_loss multilabel_margin_loss
    multilabel_soft_margin_loss native_channel_shuffle nll_loss normalize one_hot pad pairwise_distance pdist
    pixel_shuffle pixel_unshuffle poisson_nll_loss prelu relu relu6 relu_ rrelu rrelu_ selu selu_ sigmoid silu
    smooth_l1_loss soft_margin_loss softmax softmin softplus softshrink softsign tanh tanhshrink threshold
    threshold_ triplet_margin_loss triplet_margin_with_distance_loss unfold upsample upsample_bilinear
    upsample_nearest]],
  ["torch.nn.grad"] = [[
    conv1d_input conv1d_weight conv2d_input conv2d_weight conv3d_input conv3d_weight]],
  ["torch.nn.init"] = [[
    calculate_gain constant constant_ dirac dirac_ eye eye_ kaiming_normal kaiming_normal_ kaiming_uniform
    kaiming_uniform_ normal normal_ ones_ orthogonal orthogonal_ sparse sparse_ trunc_normal_ uniform uniform_
    xavier_normal xavier_normal_ xavier_uniform xavier_uniform_ zeros_]],
  ["torch.nn.utils"] = [[
    clip_grad clip_grad_norm clip_grad_norm_ clip_grad_value_ convert_conv2d_weight_memory_format convert_parameters
    fuse_conv_bn_eval fuse_conv_bn_weights fusion init memory_format parameters_to_vector parametrizations
    parametrize remove_spectral_norm remove_weight_norm rnn skip_init spectral_norm stateless vector_to_parameters
    weight_norm]],
  ["torch.nn.utils.rnn"] = [[
    PackedSequence invert_permutation pack_padded_sequence pack_sequence pad_packed_sequence pad_sequence
    unpack_sequence unpad_sequence]],
  ["torch.nn.utils.parametrize"] = [[
    ParametrizationList cached is_parametrized register_parametrization remove_parametrizations
    transfer_parametrizations_and_params type_before_parametrizations]],
  ["torch.nn.utils.parametrizations"] = [[
    orthogonal spectral_norm]],
  ["torch.nn.utils.prune"] = [[
    BasePruningMethod CustomFromMask Identity L1Unstructured LnStructured PruningContainer RandomStructured
    RandomUnstructured custom_from_mask global_unstructured identity is_pruned l1_unstructured ln_structured
    random_structured random_unstructured remove]],
  ["torch.optim"] = [[
    ASGD Adadelta Adagrad Adam AdamW Adamax LBFGS NAdam Optimizer RAdam RMSprop Rprop SGD SparseAdam lr_scheduler
    swa_utils]],
  ["torch.optim.lr_scheduler"] = [[
    ChainedScheduler ConstantLR CosineAnnealingLR CosineAnnealingWarmRestarts CyclicLR ExponentialLR LambdaLR
    LinearLR MultiStepLR MultiplicativeLR OneCycleLR PolynomialLR ReduceLROnPlateau SequentialLR StepLR]],
  ["torch.optim.swa_utils"] = [[
    AveragedModel SWALR update_bn]],
  ["torch.autograd"] = [[
    Function Variable backward detect_anomaly enable_grad forward_ad functional grad grad_mode gradcheck
    gradgradcheck graph inference_mode no_grad profiler set_detect_anomaly set_grad_enabled]],
  ["torch.autograd.functional"] = [[
    hessian hvp jacobian jvp vhp vjp]],
  ["torch.utils.checkpoint"] = [[
    CheckpointFunction check_backward_validity checkpoint checkpoint_sequential detach_variable get_device_states
    set_device_states]],
  ["torch.utils.data"] = [[
    BatchSampler ChainDataset ConcatDataset DFIterDataPipe DataChunk DataLoader DataLoader2 Dataset
    DistributedSampler IterDataPipe IterableDataset MapDataPipe RandomSampler Sampler SequentialSampler Subset
    SubsetRandomSampler TensorDataset WeightedRandomSampler argument_validation collate default_collate
    default_convert functional_datapipe get_worker_info guaranteed_datapipes_determinism non_deterministic
    random_split runtime_validation runtime_validation_disabled]],
  ["torch.nn.Module"] = [[
    T_destination add_module apply bfloat16 buffers children cpu cuda double dump_patches eval extra_repr float
    forward get_buffer get_extra_state get_parameter get_submodule half ipu load_state_dict modules named_buffers
    named_children named_modules named_parameters parameters register_backward_hook register_buffer
    register_forward_hook register_forward_pre_hook register_full_backward_hook register_load_state_dict_post_hook
    register_module register_parameter requires_grad_ set_extra_state share_memory state_dict to to_empty train
    training type xpu zero_grad]],
}
