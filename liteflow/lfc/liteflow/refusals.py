# SPDX-License-Identifier: GPL-2.0
"""Why operators are refused, and what to do instead."""

NO_ACTIVATION = "the engine has none; train with Relu or Tanh"
NO_CONVOLUTION = "the engine has no convolutions; train with fully connected layers (Gemm)"
NO_LOOP = "the engine has no loops of its own; export the network with RNN, GRU or LSTM"
NO_QUANTISED = "a quantised ONNX file; give the float network, packing makes integers of it"
NO_BRANCH = "the engine has no branches; train a plain chain of layers"
NO_PART = "it takes a part of the values; leave the others out of the network's inputs"
NO_NORM = "it depends on the values of the row; train with BatchNormalization, or without"
NO_CUT = "the engine has none; cut the graph before it with --output"
UNKNOWN = "not known here; the engine has RNN, GRU, LSTM, then fully connected layers with " \
    "Relu, Tanh and Sigmoid"
WHY = {}
for _ops, _why in (
        ("Erf Elu Selu Celu LeakyRelu PRelu HardSigmoid HardSwish Mish Softplus Softsign "
         "ThresholdedRelu Gelu Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Exp Log "
         "Sqrt Abs Sign Floor Ceil Round Reciprocal Pow Swish Hardmax Shrink Neg", NO_ACTIVATION),
        ("Conv ConvTranspose ConvInteger MaxPool AveragePool GlobalAveragePool GlobalMaxPool "
         "LpPool GlobalLpPool MaxRoiPool Einsum DepthToSpace SpaceToDepth Resize Upsample Pad "
         "DeformConv", NO_CONVOLUTION),
        ("Scan Loop", NO_LOOP),
        ("QuantizeLinear DequantizeLinear DynamicQuantizeLinear QLinearMatMul QLinearConv "
         "MatMulInteger QGemm QLinearAdd", NO_QUANTISED),
        ("If Concat Where Sum Mean Max Min ScatterElements ScatterND Tile Expand "
         "SequenceConstruct", NO_BRANCH),
        ("Slice Split Gather GatherElements GatherND SplitToSequence", NO_PART),
        ("LayerNormalization InstanceNormalization GroupNormalization LpNormalization LRN "
         "MeanVarianceNormalization ReduceMean ReduceSum ReduceMax ReduceMin ReduceProd ReduceL1 "
         "ReduceL2 ReduceLogSumExp ReduceLogSum ReduceSumSquare CumSum", NO_NORM),
        ("ZipMap ArrayFeatureExtractor TopK LabelEncoder Normalizer OneHot ArgMin", NO_CUT)):
    WHY.update(dict.fromkeys(_ops.split(), _why))
