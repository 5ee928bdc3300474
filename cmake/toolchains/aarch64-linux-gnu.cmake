# Cross-compiles for Linux on 64-bit Arm with Debian's cross compiler (g++-aarch64-linux-gnu).
# Target programs run under qemu's user mode (qemu-user-static) if it is installed.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

set(triplet aarch64-linux-gnu)
set(CMAKE_C_COMPILER ${triplet}-gcc)
set(CMAKE_CXX_COMPILER ${triplet}-g++)
set(CMAKE_CUDA_HOST_COMPILER ${triplet}-g++)

# Finds programs on this machine and libraries for the target. Headers can come from either, because
# those of TensorFlow and pybind11 are the same.
list(APPEND CMAKE_FIND_ROOT_PATH /usr/${triplet})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)

find_program(FLATNOISE_QEMU NAMES qemu-aarch64-static qemu-aarch64)
if(FLATNOISE_QEMU)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${FLATNOISE_QEMU} -L /usr/${triplet})
endif()
