# SPDX-License-Identifier: GPL-2.0
"""Random networks as ONNX writes them, in every form that is accepted, with their answers.

A form is built twice at once: as nodes, and as what PyTorch computes in double of the same
numbers. What the importer makes of the nodes is compared with the latter.
"""
import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

TYPES = {TensorProto.FLOAT: np.float32, TensorProto.DOUBLE: np.float64,
         TensorProto.FLOAT16: np.float16}
ROWS = 64


class Form:
    """One random network.

    model, answers: ModelProto; float64 [ROWS][outputs] to self.rows, float64 [ROWS][inputs]
    relu, index: is there a ReLU? is it an argmax?
    hidden: layers with an activation
    used: names of the forms that occur
    """

    def __init__(self, dice):
        self.dice = dice
        self.opset = dice.choice([7, 8, 9, 10, 11, 12, 13, 14, 15, 17])
        self.old = dice.chance(0.15)        # IR 3: constants among the inputs
        self.type = dice.choice([TensorProto.FLOAT] * 6 + [TensorProto.DOUBLE, TensorProto.FLOAT16])
        self.nodes, self.constants, self.used = [], [], set()
        self.count = self.hidden = 0
        self.relu = self.index = False
        self.ml = False
        self.width = self.n_in = dice.randint(1, 24)
        self.kinds = dice.choice([["Tanh"], ["Tanh"], ["Tanh", "Sigmoid"], ["Relu"],
                                  ["Relu", "Tanh"]])
        self.rows = dice.arrays.uniform(-1, 1, (ROWS, self.n_in))
        # as integers times the unit, so that packing has nothing to round
        self.rows = np.round(self.rows * 1e4) / 1e4
        self.x = torch.tensor(self.rows)
        self.layout = dice.choice(["rows", "rows", "rows", "plain", "deep", "column"])
        batch = dice.choice([1, "N"])
        self.shape = {"rows": [batch, self.n_in], "plain": [self.n_in],
                      "deep": [batch, dice.choice([1, "T"]), self.n_in],
                      "column": [self.n_in, 1]}[self.layout]
        self.tensor = "input"
        self.build()
        self.model = self.finish()
        self.answers = self.x.numpy()

    # -- nodes ---------------------------------------------------------------

    def emit(self, op, *inputs, **attributes):
        self.count += 1
        out = f"t{self.count}"
        domain = attributes.pop("domain", "")
        self.nodes.append(helper.make_node(op, list(inputs), [out], domain=domain,
                                           name=self.dice.choice(["", f"node{self.count}"]),
                                           **attributes))
        return out

    def step(self, op, *others, **attributes):
        """An operator on the flow."""
        self.used.add(op)
        self.tensor = self.emit(op, self.tensor, *others, **attributes)

    def constant(self, array, integer=False):
        """(name, what it is as float64 tensor)"""
        array = np.asarray(array, dtype=np.int64 if integer else TYPES[self.type])
        how = self.dice.choice(["initialiser", "initialiser", "node"])
        computed = array.ndim == 2 and how == "initialiser" and self.dice.chance(0.2)
        self.count += 1
        name = f"c{self.count}"
        if how == "node":
            name = self.emit("Constant", value=numpy_helper.from_array(array))
        elif computed:
            self.constants.append(numpy_helper.from_array(np.ascontiguousarray(array.T), name))
            name = self.emit("Transpose", name, perm=[1, 0])
            self.used.add("constant computed")
        else:
            self.constants.append(numpy_helper.from_array(array, name))
        self.used.add("constant as " + how)
        return name, torch.tensor(array.astype(np.float64))

    def draw(self, *shape, low=None):
        if low is not None:
            return self.dice.arrays.uniform(low, 2, shape)
        return self.dice.arrays.normal(0, 1, shape)

    # -- parts ---------------------------------------------------------------

    def elementwise(self):
        """A constant beside the flow, of one number or of one per value."""
        op = self.dice.choice(["Add", "Sub", "Mul", "Div"])
        size = self.dice.choice([1, self.width])
        shape = {"column": (size, 1), "plain": (size,)}.get(
            self.layout, self.dice.choice([(size,), (1, size)]))
        value = self.draw(*shape, low=0.5) * (1 if op in ("Mul", "Div") else 0.5)
        name, array = self.constant(value)
        row = array.reshape(1, -1)
        if self.dice.chance(0.4) and op != "Div":
            self.used.add(f"{op}, constant first")
            self.tensor = self.emit(op, name, self.tensor)
            self.x = {"Add": row + self.x, "Sub": row - self.x, "Mul": row * self.x}[op]
        else:
            self.step(op, name)
            self.x = {"Add": self.x + row, "Sub": self.x - row, "Mul": self.x * row,
                      "Div": self.x / row}[op]

    def normalisation(self):
        if self.layout != "rows":
            return
        numbers = [self.draw(self.width, low=0.5), self.draw(self.width) / 2,
                   self.draw(self.width) / 2, self.draw(self.width, low=0.5)]
        made = [self.constant(number) for number in numbers]
        self.step("BatchNormalization", *(name for name, _ in made), epsilon=1e-3)
        scale, bias, mean, var = (array for _, array in made)
        self.x = torch.nn.functional.batch_norm(self.x, mean, var, scale, bias, eps=1e-3)

    def scaler(self):
        if self.layout != "rows":
            return
        offset, scale = (np.float32(self.draw(self.width, low=0.5)) for _ in range(2))
        self.step("Scaler", domain="ai.onnx.ml", offset=offset.tolist(), scale=scale.tolist())
        self.ml = True
        self.x = (self.x - torch.tensor(offset.astype(float))) * torch.tensor(scale.astype(float))

    def nothing(self):
        """What changes no value."""
        op = self.dice.choice(["Identity", "Dropout", "Cast", "Reshape", "Flatten", "Unsqueeze"])
        if op == "Cast":
            self.step(op, to=self.type)
        elif op == "Flatten" and self.layout == "rows":
            self.step(op, axis=1)
        elif op == "Reshape":
            target = {"rows": [-1, self.width], "plain": [self.width], "column": [self.width, -1],
                      "deep": [1, 1, -1]}[self.layout]
            self.step(op, self.constant(target, True)[0])
        elif op == "Unsqueeze" and self.layout == "rows":
            if self.opset < 13:
                self.step(op, axes=[0])
                self.step("Squeeze", axes=[0])
            else:
                self.step(op, self.constant([0], True)[0])
                self.step("Squeeze", self.constant([0], True)[0])
        elif op in ("Identity", "Dropout"):
            self.step(op)

    def view(self):
        """x.view(x.size(0), -1), as PyTorch writes it"""
        if self.layout != "rows":
            return
        size = self.emit("Shape", self.tensor)
        size = self.emit("Gather", size, self.constant(0, True)[0], axis=0)
        if self.opset < 13:
            size = self.emit("Unsqueeze", size, axes=[0])
        else:
            size = self.emit("Unsqueeze", size, self.constant([0], True)[0])
        shape = self.emit("Concat", size, self.constant([-1], True)[0], axis=0)
        self.step("Reshape", shape)
        self.used.add("view")

    def dense(self, width):
        weights = self.draw(self.width, width) / np.sqrt(self.width)
        bias = self.draw(width) / 4
        with_bias = self.dice.chance(0.8)
        if self.layout == "rows" and self.dice.chance(0.6):
            self.gemm(weights, bias, with_bias)
        elif self.layout == "column":
            name, array = self.constant(weights.T)
            self.tensor = self.emit("MatMul", name, self.tensor)
            self.used.add("MatMul from the left")
            self.x = self.x @ array.T
            if with_bias:
                self.bias(bias.reshape(-1, 1))
        else:
            name, array = self.constant(weights)
            self.step("MatMul", name)
            self.x = self.x @ array
            if with_bias:
                self.bias(bias)
        self.width = width

    def bias(self, bias):
        name, array = self.constant(bias)
        if self.dice.chance(0.5):
            self.step("Add", name)
        else:
            self.tensor = self.emit("Add", name, self.tensor)
            self.used.add("Add, constant first")
        self.x = self.x + array.reshape(1, -1)

    def gemm(self, weights, bias, with_bias):
        turned = self.dice.chance(0.5)
        alpha, beta = (self.dice.choice([1.0, 0.5, 1.25]) for _ in range(2))
        name, array = self.constant(weights.T if turned else weights)
        array = array.T if turned else array
        inputs = [name]
        self.x = alpha * (self.x @ array)
        if with_bias:
            shape = self.dice.choice([bias, bias.reshape(1, -1), bias[:1]])
            other, added = self.constant(shape)
            inputs.append(other)
            self.x = self.x + beta * added.reshape(1, -1)
        attributes = {"transB": int(turned), "alpha": alpha, "beta": beta}
        if self.dice.chance(0.15) and self.shape[0] == 1:
            # the same with the flow turned
            self.step("Transpose", perm=[1, 0])
            attributes["transA"] = 1
            self.used.add("Gemm with transA")
        self.step("Gemm", *inputs, **attributes)
        self.used.add("Gemm with transB" if turned else "Gemm")

    def activation(self):
        kind = self.dice.choice(self.kinds)
        self.step(kind)
        self.hidden += 1
        self.relu |= kind == "Relu"
        self.x = {"Tanh": torch.tanh, "Relu": torch.relu, "Sigmoid": torch.sigmoid}[kind](self.x)

    def clip(self, lo, hi):
        kind = np.float32 if self.opset < 11 else TYPES[self.type]     # attributes are float32
        if self.opset < 11:
            self.step("Clip", min=lo, max=hi)
        else:
            self.step("Clip", self.constant(lo)[0], self.constant(hi)[0])
        self.x = torch.clamp(self.x, *(float(kind(end)) for end in (lo, hi)))

    def argmax(self):
        axis = {"plain": 0, "column": 0}.get(self.layout, -1)
        if self.layout in ("rows", "deep") and self.dice.chance(0.4):
            self.step(self.dice.choice(["Softmax", "LogSoftmax"]), axis=len(self.shape) - 1)
        self.step("ArgMax", axis=axis, keepdims=self.dice.choice([0, 1]))
        if self.dice.chance(0.3):
            self.step("Cast", to=TensorProto.INT32)
        self.x = self.x.argmax(1, keepdim=True).double()
        self.index = True

    # -- the whole -----------------------------------------------------------

    def build(self):
        dice = self.dice
        if dice.chance(0.15):
            self.clip(-0.75, 0.5)
            self.used.add("Clip of the inputs")
        for part, share in ((self.elementwise, 0.3), (self.elementwise, 0.3),
                            (self.normalisation, 0.15), (self.scaler, 0.1), (self.nothing, 0.4),
                            (self.view, 0.1)):
            if dice.chance(share):
                part()
        for _ in range(dice.choice([0, 1, 1, 2, 2, 3])):
            self.dense(dice.randint(1, 24))
            if dice.chance(0.15):
                self.dense(dice.randint(1, 24))
                self.used.add("linear layers in a row")
            for part, share in ((self.normalisation, 0.2), (self.elementwise, 0.15)):
                if dice.chance(share):
                    part()
            self.activation()
            for part, share in ((self.nothing, 0.3), (self.elementwise, 0.1),
                                (self.normalisation, 0.1)):
                if dice.chance(share):
                    part()
        if dice.chance(0.15):
            self.dense(dice.randint(2, 6))
            self.argmax()
            return
        if dice.chance(0.85) or not self.hidden:
            self.dense(dice.randint(1, 6))
        if dice.chance(0.3):
            self.elementwise()
            self.used.add("constants behind")
        if dice.chance(0.2):
            middle, width = float(self.x.mean()), float(self.x.std()) + 0.1
            self.clip(middle - width, middle + width)
            self.used.add("Clip of the outputs")
            if dice.chance(0.3):
                self.elementwise()
        if dice.chance(0.3):
            self.nothing()

    def finish(self):
        inputs = [helper.make_tensor_value_info("input", self.type, self.shape)]
        if self.old:
            self.used.add("IR 3")
            inputs += [helper.make_tensor_value_info(c.name, c.data_type, list(c.dims))
                       for c in self.constants]
        graph = helper.make_graph(self.nodes, "g", inputs, [helper.make_tensor_value_info(
            self.tensor, self.type, None)], self.constants)
        opsets = [helper.make_opsetid("", self.opset)]
        if self.ml:
            opsets.append(helper.make_opsetid("ai.onnx.ml", 1))
        self.used.add({1: "float", 11: "double", 10: "float16"}[self.type])
        self.used.add({"rows": "2-D", "plain": "1-D", "deep": "3-D"}.get(self.layout, self.layout))
        return helper.make_model(graph, opset_imports=opsets, producer_name="test",
                                 ir_version=3 if self.old else self.dice.choice([4, 6, 7, 8, 9]))
