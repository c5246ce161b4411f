# SPDX-License-Identifier: GPL-2.0
"""Why operators are refused, and what to do instead."""

NO_ACTIVATION = "the engine has none; train with Relu or Tanh"
NO_CONVOLUTION = "the engine has fully connected layers only; train with those (Gemm)"
NO_STATE = "the engine keeps no state between queries; give the network a window of past values"
NO_QUANTISED = "a quantised ONNX file; give the float network, packing makes integers of it"
NO_BRANCH = "the engine has no branches; train a plain chain of layers"
NO_PART = "it takes a part of the values; leave the others out of the network's inputs"
NO_NORM = "it depends on the values of the row; train with BatchNormalization, or without"
NO_CUT = "the engine has none; cut the graph before it with --output"
UNKNOWN = "not known here; the engine has fully connected layers with Relu, Tanh and Sigmoid"
WHY = {}
for _ops, _why in (
        ("Erf Elu Selu Celu LeakyRelu PRelu HardSigmoid HardSwish Mish Softplus Softsign "
         "ThresholdedRelu Gelu Sin Cos Tan Asin Acos Atan Sinh Cosh Asinh Acosh Atanh Exp Log "
         "Sqrt Abs Sign Floor Ceil Round Reciprocal Pow Swish Hardmax Shrink Neg", NO_ACTIVATION),
        ("Conv ConvTranspose ConvInteger MaxPool AveragePool GlobalAveragePool GlobalMaxPool "
         "LpPool GlobalLpPool MaxRoiPool Einsum DepthToSpace SpaceToDepth Resize Upsample Pad "
         "DeformConv", NO_CONVOLUTION),
        ("LSTM GRU RNN Scan Loop", NO_STATE),
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
