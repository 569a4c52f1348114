"""ONNX Runtime's voice: it runs the file that `scratchcnn.export_onnx` writes.

It thereby checks the export as well. It runs inference only, without gradients, and on the CPU it has no
float64 convolution, average pooling or local response normalization: for a network with one of these it
answers in float32, which is reported and judged by the precision gate.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

from parity.referees.base import Answer, NoAnswer, Question, Referee, to_numpy

NO_KERNEL = re.compile(r"Could not find an implementation for (\w+)\(")
ERRORS_ONLY = 3  # log level


class OnnxRuntime(Referee):
    name = "onnxruntime"
    packages = ("onnx", "onnxruntime")
    gradients = False
    trains = False

    def answer(self, question: Question) -> Answer:
        session = self._session(question)
        outputs = session.run(["scores", "loss"], {"x": question.x, "t": question.t})
        return dict(zip(("scores", "loss"), map(to_numpy, outputs), strict=True))

    def lacks(self, dtype: str, question: Question) -> str:
        """Which operator has no kernel of that dtype; only creating a session shows it."""
        try:
            self._session(question.with_network(question.network.astype(dtype), gradients=False))
        except NoAnswer as error:
            if found := NO_KERNEL.search(str(error)):
                return f"no {dtype} kernel for {found[1]}"
            raise
        return ""

    def _session(self, question: Question) -> Any:
        import onnxruntime

        from scratchcnn.onnx_export import export_onnx

        options = onnxruntime.SessionOptions()
        options.log_severity_level = ERRORS_ONLY
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "network.onnx"
            try:
                export_onnx(question.network, path, loss=True)
                return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            except TypeError as error:
                raise NoAnswer(str(error)) from None
            except Exception as error:
                if "NotImplemented" in type(error).__name__:
                    raise NoAnswer(str(error)) from None
                raise
