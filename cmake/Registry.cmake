# tv_registry(<target> <kind>): builds the plug-ins that <kind>s.def in this folder lists, one "TV_<KIND>(name)" a line.
# C reads the same file (registry.c). A .c that is not listed, or listed and missing, fails here. Plug-ins see
# include/ and their own lib/ only; RegistryIncludes.cmake refuses a relative way around that.
function(tv_registry target kind)
  set(def ${CMAKE_CURRENT_SOURCE_DIR}/${kind}s.def)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${def})
  string(TOUPPER ${kind} macro)
  file(STRINGS ${def} lines REGEX "^TV_${macro}\\(")
  set(sources registry.c)
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^TV_${macro}\\(([a-z0-9_]+)\\)$" "\\1" name "${line}")
    if(NOT EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${name}.c)
      message(FATAL_ERROR "${kind}s.def lists ${name}, but ${CMAKE_CURRENT_SOURCE_DIR}/${name}.c does not exist")
    endif()
    list(APPEND sources ${name}.c)
  endforeach()
  file(GLOB present CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.c)
  foreach(file IN LISTS present)
    if(NOT file IN_LIST sources)
      message(FATAL_ERROR "${CMAKE_CURRENT_SOURCE_DIR}/${file} is not listed in ${kind}s.def")
    endif()
  endforeach()

  add_library(${target} OBJECT ${sources})
  target_link_libraries(${target} PUBLIC tv_flags)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
  add_custom_target(${target}_includes ALL
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${CMAKE_CURRENT_SOURCE_DIR}
            -P ${PROJECT_SOURCE_DIR}/cmake/RegistryIncludes.cmake)
  add_dependencies(${target} ${target}_includes)
endfunction()

# tv_registry_lib(<target>): the helpers in lib/ that the plug-ins of this folder share.
function(tv_registry_lib target)
  file(GLOB sources CONFIGURE_DEPENDS lib/*.c)
  add_library(${target} OBJECT ${sources})
  target_link_libraries(${target} PUBLIC tv_flags)
  target_include_directories(${target} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
endfunction()
