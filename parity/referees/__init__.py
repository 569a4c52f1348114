"""Further references beside PyTorch: JAX and ONNX Runtime, each asked the same question as ours.

    referees, missing = ...            python -m parity check lenet --against torch,jax,onnxruntime

With three voices and more, a disagreement has a culprit: `parity.referees.court` says who stands apart.
"""
