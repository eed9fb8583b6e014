# Headers that are read once for all that is compiled: they cost up to a second a file.
#
#   fixpoint_precompile(NAME HEADERS <header>... [OPTIONS option...])   of the system, none of the project's own
#   fixpoint_use_precompiled(TARGET NAME)
#
# What comes of it lies in the user's cache and not in the build folder, at a place that its content names (compiler,
# options, headers): so it is the same for every checkout on a machine, and what ccache knows of one serves the others.
function(fixpoint_precompile name)
  cmake_parse_arguments(PRE "" "" "HEADERS;OPTIONS" ${ARGN})
  string(JOIN "" text ${PRE_HEADERS})
  string(REPLACE "<" "#include <" text "${text}")
  string(REPLACE ">" ">\n" text "${text}")
  string(TOUPPER "${CMAKE_BUILD_TYPE}" type)
  separate_arguments(options NATIVE_COMMAND "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${type}}")
  get_directory_property(more COMPILE_OPTIONS)
  list(APPEND options ${more} -std=c++${CMAKE_CXX_STANDARD} ${PRE_OPTIONS})

  set(plain ${CMAKE_BINARY_DIR}/precompiled/${name}.h)
  file(CONFIGURE OUTPUT ${plain} CONTENT "${text}" @ONLY)
  execute_process(COMMAND ${CMAKE_CXX_COMPILER} ${options} -x c++-header -M ${plain}
    OUTPUT_VARIABLE depends COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE "^[^:]*:|\\\\\n" " " depends "${depends}")
  separate_arguments(depends NATIVE_COMMAND "${depends}")
  list(REMOVE_ITEM depends ${plain})
  set(about "${CMAKE_CXX_COMPILER} ${CMAKE_CXX_COMPILER_VERSION}\n${options}\n${text}")
  foreach(file ${depends})
    file(SIZE ${file} bytes)
    file(TIMESTAMP ${file} changed %s)
    string(APPEND about "${file} ${bytes} ${changed}\n")
  endforeach()
  string(SHA256 key "${about}")
  string(SUBSTRING ${key} 0 16 key)

  if(NOT "$ENV{XDG_CACHE_HOME}" STREQUAL "")
    set(cache $ENV{XDG_CACHE_HOME}/fixpoint)
  elseif(NOT "$ENV{HOME}" STREQUAL "")
    set(cache $ENV{HOME}/.cache/fixpoint)
  else()
    set(cache ${CMAKE_BINARY_DIR})
  endif()
  set(made ${cache}/precompiled/${name}-${key})
  if(NOT EXISTS ${made}.pch)
    file(CONFIGURE OUTPUT ${made}.h CONTENT "${text}" @ONLY)
    string(RANDOM mine)  # another checkout may be at it
    execute_process(
      COMMAND ${CMAKE_CXX_COMPILER} ${options} -Xclang -fno-pch-timestamp -fpch-instantiate-templates -x c++-header ${made}.h -o ${made}.${mine}
      COMMAND_ERROR_IS_FATAL ANY)
    file(RENAME ${made}.${mine} ${made}.pch)
  endif()
  fixpoint_forget_precompiled(${made} ${cache}/precompiled)
  # Looked for again where it was taken away, or the system has newer headers.
  set_property(DIRECTORY ${CMAKE_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${made}.pch ${depends})
  set(fixpoint_precompiled_${name} ${made}.pch PARENT_SCOPE)
endfunction()

# Notes that a set is used, and takes away those that no checkout has used for thirty days: a set is some 40 MB.
function(fixpoint_forget_precompiled made folder)
  file(TOUCH ${made}.used)
  string(TIMESTAMP now %s UTC)
  math(EXPR long_ago "${now} - 30 * 24 * 3600")
  file(GLOB notes ${folder}/*.used)
  foreach(note ${notes})
    file(TIMESTAMP ${note} used %s UTC)
    if(used LESS long_ago)
      string(REGEX REPLACE "\\.used$" "" old ${note})
      file(REMOVE ${old}.pch ${old}.h ${note})
    endif()
  endforeach()
endfunction()

function(fixpoint_use_precompiled target name)
  target_compile_options(${target} PRIVATE
    "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-Xclang -include-pch -Xclang ${fixpoint_precompiled_${name}}>")
endfunction()
