"""The catalogue of known bugs, injection, the kill matrix, diagnosis."""

from parity.faults.catalogue import FAULTS, faults_of
from parity.faults.fault import Fault

__all__ = ["FAULTS", "Fault", "faults_of"]
