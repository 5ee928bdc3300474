# Defines the target TensorFlow::framework, TENSORFLOW_VERSION, TENSORFLOW_INCLUDE_DIR,
# TENSORFLOW_LIBRARY_DIR and TENSORFLOW_DEFINITIONS for the TensorFlow in the folder TENSORFLOW_DIR,
# or if that is empty, for the TensorFlow that Python imports.
execute_process(
  COMMAND ${Python_EXECUTABLE} ${CMAKE_CURRENT_LIST_DIR}/tensorflow_facts.py ${TENSORFLOW_DIR}
  OUTPUT_VARIABLE facts
  ERROR_VARIABLE errors
  RESULT_VARIABLE failed)
if(failed AND TENSORFLOW_DIR)
  message(FATAL_ERROR "FLATNOISE_TENSORFLOW_DIRS contains a directory without TensorFlow.\n${errors}")
elseif(failed)
  message(FATAL_ERROR
    "${Python_EXECUTABLE} can't import TensorFlow, whose headers the build needs. Install "
    "tensorflow or tensorflow-cpu there, set FLATNOISE_TENSORFLOW_DIRS to directories that contain "
    "it, or pass -DFLATNOISE_WITH_TENSORFLOW=OFF.\n${errors}")
endif()
foreach(fact VERSION INCLUDE_DIR LIBRARY_DIR DEFINITIONS)
  string(REGEX MATCH "(^|\n)${fact}=([^\n]*)" _ "${facts}")
  set(TENSORFLOW_${fact} "${CMAKE_MATCH_2}")
endforeach()

add_library(TensorFlow::framework SHARED IMPORTED)
set_target_properties(TensorFlow::framework PROPERTIES
  IMPORTED_LOCATION "${TENSORFLOW_LIBRARY_DIR}/libtensorflow_framework.so.2"
  INTERFACE_INCLUDE_DIRECTORIES "${TENSORFLOW_INCLUDE_DIR}"
  INTERFACE_COMPILE_OPTIONS "${TENSORFLOW_DEFINITIONS}")
