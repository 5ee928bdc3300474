"""Files that include others, because compiling TensorFlow's headers takes most of the time."""

def unity(name, srcs):
    """Defines the file `name`.cc and the library `name`_sources, of the files that it includes."""
    native.genrule(
        name = name,
        srcs = srcs,
        outs = [name + ".cc"],
        cmd = "for source in $(SRCS); do echo \"#include \\\"$$source\\\"\"; done > $@",
    )
    native.cc_library(
        name = name + "_sources",
        textual_hdrs = srcs,
    )
