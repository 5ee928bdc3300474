"""Prints what CMake has to know of the installed TensorFlow, one `NAME=value` a line."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf

flags = tf.sysconfig.get_compile_flags()
print(f"VERSION={tf.__version__}")
print(f"INCLUDE_DIR={tf.sysconfig.get_include()}")
print(f"LIBRARY_DIR={tf.sysconfig.get_lib()}")
print(f"DEFINITIONS={';'.join(flag for flag in flags if flag.startswith('-D'))}")
