"""What Bazel's own tools would download before anything is built here: rules that Bazel has built
in, and a coverage report that nobody asks for."""

_CC_RULES = ["cc_binary", "cc_import", "cc_library", "cc_test", "cc_toolchain", "cc_toolchain_suite"]

_JAVA_RULES = ["java_binary", "java_import", "java_library", "java_runtime", "java_toolchain"]

_COVERAGE = """
filegroup(
    name = "coverage_report_generator",
    visibility = ["//visibility:public"],
)
"""

def _files_impl(context):
    for path, content in context.attr.files.items():
        context.file(path, content)

_files = repository_rule(
    implementation = _files_impl,
    attrs = {"files": attr.string_dict(mandatory = True)},
)

def _built_in(rules):
    return "".join(["%s = native.%s\n" % (rule, rule) for rule in rules])

def stand_ins():
    _files(name = "rules_cc", files = {"cc/BUILD": "", "cc/defs.bzl": _built_in(_CC_RULES)})
    _files(name = "rules_java", files = {"java/BUILD": "", "java/defs.bzl": _built_in(_JAVA_RULES)})
    _files(name = "remote_coverage_tools", files = {"BUILD": _COVERAGE})
