"""The TensorFlow that a Python interpreter imports, as a repository."""

_PYTHON_VARIABLE = "PYTHON_BIN_PATH"

_BUILD = """
package(default_visibility = ["//visibility:public"])

cc_library(
    name = "framework",
    srcs = ["lib/libtensorflow_framework.so.2"],
    hdrs = glob(["include/**"]),
    defines = {definitions},
    includes = ["include"],
)

# Additional dependencies of XLA kernels. See cc/tensorflow/CMakeLists.txt.
cc_library(
    name = "xla",
    srcs = ["lib/libtensorflow_cc.so.2"],
    includes = [
        "include/external/farmhash_archive/src",
        "include/external/highwayhash",
    ],
    deps = [":framework"],
)
"""

_FACTS = """
TENSORFLOW_TAG = "{tag}"

HAS_XLA_HEADERS = {has_xla_headers}
"""

def _python(context):
    wanted = context.os.environ.get(_PYTHON_VARIABLE, "python3")
    python = context.which(wanted) if "/" not in wanted else context.path(wanted)
    if python == None or not python.exists:
        fail("There is no Python interpreter %s: set %s to one that imports TensorFlow." %
             (wanted, _PYTHON_VARIABLE))
    return python

def _facts(context, python):
    result = context.execute([python, context.path(Label("//:cmake/tensorflow_facts.py"))])
    if result.return_code != 0:
        fail("%s can't import TensorFlow: set %s to a Python interpreter that does.\n%s" %
             (python, _PYTHON_VARIABLE, result.stderr))
    return dict([line.split("=", 1) for line in result.stdout.splitlines() if "=" in line])

# As in cc/tensorflow/CMakeLists.txt, preprocessing checks whether the headers exist.
def _has_xla_headers(context, definitions):
    ffi = context.path("include/xla/ffi/api/ffi.h")
    if not ffi.exists or "\nclass ThreadPool" not in context.read(ffi):
        return False
    source = context.path(Label("//cc/tensorflow:xla_kernels.cc"))
    includes = ["-I%s" % folder for folder in [
        source.dirname.dirname,
        "include",
        "include/external/farmhash_archive/src",
        "include/external/highwayhash",
    ]]
    compiler = context.os.environ.get("CC", "gcc")
    command = [compiler, "-std=c++17", "-E", "-o", "/dev/null"] + includes + definitions
    return context.execute(command + [source]).return_code == 0

def _installed_tensorflow_impl(context):
    facts = _facts(context, _python(context))
    context.symlink(facts["INCLUDE_DIR"], "include")
    for library in ["libtensorflow_framework.so.2", "libtensorflow_cc.so.2"]:
        context.symlink(facts["LIBRARY_DIR"] + "/" + library, "lib/" + library)
    flags = [flag for flag in facts["DEFINITIONS"].split(";") if flag]
    context.file("BUILD", _BUILD.format(definitions = [flag[len("-D"):] for flag in flags]))
    context.file("facts.bzl", _FACTS.format(
        tag = "tf" + "_".join(facts["VERSION"].split(".")[:2]),
        has_xla_headers = _has_xla_headers(context, flags),
    ))

installed_tensorflow = repository_rule(
    implementation = _installed_tensorflow_impl,
    configure = True,
    doc = "Targets :framework and :xla, and what is known of them in facts.bzl.",
    environ = [_PYTHON_VARIABLE, "CC", "PATH"],
    local = True,
)
