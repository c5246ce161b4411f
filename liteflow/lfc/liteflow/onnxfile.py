# SPDX-License-Identifier: GPL-2.0
"""ONNX files: IR 3 to 9 and later ones whose operators are known, external data too."""
import pathlib
import warnings

from .graph import Graph, MAX_FILE, Node, Tensor, check_size, number_array, shown
from .pylib.errors import Problem

METADATA = "liteflow-model"     # the key of ours in metadata_props
LEAST_OPSET = 6                 # before, "consumed_inputs" and others


def _onnx():
    try:
        import onnx
        from onnx import numpy_helper
    except ImportError as error:
        raise Problem(f"reading ONNX needs the package onnx ({error}): apt-get install "
                      "python3-onnx") from error
    return onnx, numpy_helper


def _text(value):
    """protobuf gives bytes for a string that is no UTF-8"""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def _external(tensor, folder, what):
    """Bytes of a tensor that lies in another file of the same folder."""
    where = {_text(entry.key): _text(entry.value) for entry in tensor.external_data}
    location = where.get("location", "")
    if folder is None:
        raise Problem(f"{what} is in the file {shown(location)}: give the network as a file, "
                      "beside that one")
    path = pathlib.PurePosixPath(location)
    if not location or path.is_absolute() or ".." in path.parts or "\0" in location:
        raise Problem(f"{what} is in {shown(location)}, which is no file beside the network: "
                      "not read")
    try:
        offset, length = int(where.get("offset") or 0), int(where.get("length") or -1)
    except ValueError:
        offset = -1
        length = 0
    if offset < 0 or length < -1 or length > MAX_FILE:
        raise Problem(f"{what}: no such place in {shown(location)}: the file is damaged")
    try:
        with open(folder / path, "rb") as file:
            file.seek(offset)
            data = file.read(length if length >= 0 else MAX_FILE + 1)
    except (OSError, OverflowError) as error:
        raise Problem(f"{what} is in the file {shown(location)}, which cannot be read "
                      f"({getattr(error, 'strerror', None) or error}): copy it, too") from error
    if len(data) > MAX_FILE or (length >= 0 and len(data) < length):
        raise Problem(f"{what}: {shown(location)} is {'too long' if length < 0 else 'too short'}: "
                      "it is not the network's")
    return data


def _array(tensor, folder, what):
    """TensorProto -> float64 or int64 array"""
    onnx, numpy_helper = _onnx()
    check_size(tensor.dims, what)
    if tensor.data_type == onnx.TensorProto.STRING:
        raise Problem(f"{what} holds text, not numbers")
    try:
        if tensor.HasField("data_location") and \
                tensor.data_location == onnx.TensorProto.EXTERNAL:
            copy = onnx.TensorProto()
            copy.CopyFrom(tensor)
            copy.raw_data = _external(tensor, folder, what)
            copy.ClearField("data_location")
            copy.ClearField("external_data")
            tensor = copy
        array = numpy_helper.to_array(tensor)
    except Problem:
        raise
    except Exception as error:      # whatever onnx and numpy raise for data that does not fit
        raise Problem(f"{what}: its data does not fit its type and shape ({error}): the file is "
                      "damaged") from error
    return number_array(array, what)


def _attributes(node, folder, opened):
    """{name: number, list of numbers, bytes, or function that makes an array}"""
    onnx, _ = _onnx()
    kinds = onnx.AttributeProto
    out = {}
    for a in node.attribute:
        if a.type == kinds.TENSOR:
            what = f"the constant of node {shown(node.name or opened)}"
            out[_text(a.name)] = lambda t=a.t, what=what: _array(t, folder, what)
        elif a.type in (kinds.FLOAT, kinds.INT, kinds.STRING):
            out[_text(a.name)] = {kinds.FLOAT: a.f, kinds.INT: a.i, kinds.STRING: a.s}[a.type]
        elif a.type in (kinds.FLOATS, kinds.INTS, kinds.STRINGS):
            out[_text(a.name)] = list({kinds.FLOATS: a.floats, kinds.INTS: a.ints,
                                       kinds.STRINGS: a.strings}[a.type])
        else:
            out[_text(a.name)] = None      # graphs and others: whoever needs one refuses
    return out


def _tensor(info):
    onnx, _ = _onnx()
    kind = info.type.WhichOneof("value")
    if kind != "tensor_type":
        raise Problem(f"input {shown(info.name)} is a {kind or 'thing without a type'}, "
                      "not a tensor")
    tensor = info.type.tensor_type
    types = onnx.TensorProto
    integer = tensor.elem_type in (types.INT8, types.INT16, types.INT32, types.INT64,
                                   types.UINT8, types.UINT16, types.UINT32, types.UINT64)
    if not integer and tensor.elem_type not in (types.FLOAT, types.DOUBLE, types.FLOAT16,
                                                types.BFLOAT16, types.UNDEFINED):
        name = types.DataType.Name(tensor.elem_type) \
            if tensor.elem_type in types.DataType.values() else tensor.elem_type
        raise Problem(f"input {shown(info.name)} is of type {name}, not of real numbers")
    shape = None
    if tensor.HasField("shape"):
        shape = tuple(d.dim_value if d.HasField("dim_value") and d.dim_value > 0 else None
                      for d in tensor.shape.dim)
    return Tensor(_text(info.name), shape, integer)


def read(data, folder=None):
    """Bytes of an ONNX file -> Graph; @folder is where external data lies, None: nowhere."""
    onnx, _ = _onnx()
    try:
        with warnings.catch_warnings():
            # protobuf only warns of bytes that it cannot decode
            warnings.simplefilter("error", RuntimeWarning)
            model = onnx.load_model_from_string(data)
    except Exception as error:      # DecodeError is another class in each protobuf
        raise Problem("not an ONNX file, or a damaged one: it cannot be decoded") from error
    graph = model.graph
    if not graph.node and not graph.output:
        raise Problem("not an ONNX file, or one without a network")
    opsets = {_text(entry.domain): entry.version for entry in model.opset_import}
    opset = opsets.get("", opsets.get("ai.onnx", 0 if opsets else 1))
    if opset and opset < LEAST_OPSET:
        raise Problem(f"operators of ONNX's opset {opset}, 6 and later are read: export it anew")
    if graph.sparse_initializer:
        raise Problem("it has sparse constants: export it with dense ones")
    constants = {_text(t.name): lambda t=t: _array(t, folder, f"constant {shown(_text(t.name))}")
                 for t in graph.initializer}
    nodes = [Node(_text(n.name), _text(n.op_type), list(map(_text, n.input)),
                  list(map(_text, n.output)),
                  _attributes(n, folder, n.output[0] if n.output else n.op_type),
                  "" if n.domain == "ai.onnx" else _text(n.domain))
             for n in graph.node]
    metadata = [_text(p.value) for p in model.metadata_props if p.key == METADATA]
    origin = " ".join(_text(text) for text in (model.producer_name, model.producer_version) if text)
    # until IR 3 constants stand among the inputs
    inputs = {_text(info.name): lambda info=info: _tensor(info) for info in graph.input
              if _text(info.name) not in constants}
    outputs = [_text(info.name) for info in graph.output]
    return Graph(inputs, outputs, nodes, constants, opset or LEAST_OPSET,
                 f"ONNX, {shown(origin)[1:-1]}" if origin else "ONNX",
                 metadata[0] if metadata else None)
