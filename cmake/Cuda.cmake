# Turns FLATNOISE_WITH_CUDA=AUTO into ON if this machine has an NVIDIA GPU and a CUDA compiler.
# Selects the GPU architectures for machine code: this machine's for AUTO, all for ON. The newest
# architecture that all compilers support also gets PTX, which drivers can compile for future GPUs.

# Sets `result` to the architectures of this machine's GPUs, such as 90-real. Empty without GPUs.
function(find_gpus result)
  execute_process(
    COMMAND nvidia-smi --query-gpu=compute_cap --format=csv,noheader
    OUTPUT_VARIABLE capabilities ERROR_QUIET RESULT_VARIABLE failed)
  set(gpus "")
  if(failed EQUAL 0)
    string(REGEX MATCHALL "[0-9]+\\.[0-9]" gpus "${capabilities}")
    list(REMOVE_DUPLICATES gpus)
    list(TRANSFORM gpus REPLACE "([0-9]+)\\.([0-9])" "\\1\\2-real")
  endif()
  set(${result} "${gpus}" PARENT_SCOPE)
endfunction()

set(gpus "")
if(FLATNOISE_WITH_CUDA STREQUAL "AUTO")
  set(FLATNOISE_WITH_CUDA OFF)
  # A compiler found here would need libraries of the target machine too.
  if(NOT CMAKE_CROSSCOMPILING)
    find_gpus(gpus)
  endif()
  if(gpus)
    include(CheckLanguage)
    check_language(CUDA)
    if(CMAKE_CUDA_COMPILER)
      set(FLATNOISE_WITH_CUDA ON)
    endif()
  endif()
endif()
if(NOT FLATNOISE_WITH_CUDA)
  message(STATUS "Building kernels for CPUs only")
  return()
endif()

if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 86-real 89-real 90)
  set(choose_architectures TRUE)
endif()
enable_language(CUDA)
if(choose_architectures)
  if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.8)
    list(APPEND CMAKE_CUDA_ARCHITECTURES 100-real 120-real)
  endif()
  # A GPU without its own code runs that of another GPU of its generation, or PTX, so all are built.
  list(TRANSFORM CMAKE_CUDA_ARCHITECTURES REPLACE "^90$" "90-real" OUTPUT_VARIABLE known)
  set(unknown ${gpus})
  list(REMOVE_ITEM unknown ${known})
  if(gpus AND NOT unknown)
    set(CMAKE_CUDA_ARCHITECTURES ${gpus})
  endif()
endif()
set(CMAKE_CUDA_STANDARD 17)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
find_package(CUDAToolkit REQUIRED)
message(STATUS "CUDA ${CMAKE_CUDA_COMPILER_VERSION}: kernels for ${CMAKE_CUDA_ARCHITECTURES}")
