# What of llama.cpp is compiled, given to CMake as CMAKE_PROJECT_llama_cpp_INCLUDE: the part that embeds, and no more.
# 74 files instead of 178; docs/dependencies.md has the time and the weight. llama-cpp-python insists on the common
# library with a forced cache entry, which these plain variables, set before it, hide from llama.cpp.
set(LLAVA_BUILD OFF)         # images and sound
set(LLAMA_BUILD_COMMON OFF)  # what llama.cpp's own programs share
# Libraries once, beside the module that loads them, instead of six times.
set(CMAKE_INSTALL_LIBDIR llama_cpp/lib)
set(CMAKE_INSTALL_INCLUDEDIR llama_cpp/include)
set(CMAKE_PLATFORM_NO_VERSIONED_SONAME ON)
