"""Find, split, type and count the cells of peripheral blood smear pictures.

Importing smearlab stays light: no ONNX Runtime session, no torch. Research use only.
"""

__version__ = "0.1.0"
