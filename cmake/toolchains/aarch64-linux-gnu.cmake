# Builds for Linux on 64-bit Arm on another machine, with Debian's cross compiler
# (g++-aarch64-linux-gnu). Programs that the build or the tests run go through qemu's user mode
# (qemu-user-static), where it is installed.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)

set(triplet aarch64-linux-gnu)
set(CMAKE_C_COMPILER ${triplet}-gcc)
set(CMAKE_CXX_COMPILER ${triplet}-g++)
set(CMAKE_CUDA_HOST_COMPILER ${triplet}-g++)

# Programs are this machine's, libraries the target's. Headers may be either's: TensorFlow's and
# pybind11's serve both.
list(APPEND CMAKE_FIND_ROOT_PATH /usr/${triplet})
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)

find_program(FLATNOISE_QEMU NAMES qemu-aarch64-static qemu-aarch64)
if(FLATNOISE_QEMU)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${FLATNOISE_QEMU} -L /usr/${triplet})
endif()
