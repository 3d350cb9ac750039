"""Runs network.onnx of a folder on the inputs that lie beside it, float32 in files of their names, and writes the output as `gray`."""

import sys
from pathlib import Path

import numpy
import onnxruntime

folder = Path(sys.argv[1])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
session = onnxruntime.InferenceSession(folder / "network.onnx", options, providers=["CPUExecutionProvider"])
inputs = {port.name: numpy.fromfile(folder / port.name, numpy.float32).reshape(port.shape) for port in session.get_inputs()}
(gray,) = session.run(["gray"], inputs)
gray.astype(numpy.float32).tofile(folder / "gray")
