# tv_embed(<target> <file> <name>): <name>.h with the file's text as `static const char <name>[]`, for the target to include.
function(tv_embed target file name)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} bytes HEX)
  string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
  set(folder ${CMAKE_CURRENT_BINARY_DIR}/embedded)
  file(CONFIGURE OUTPUT ${folder}/${name}.h CONTENT "static const char ${name}[] = {@bytes@0};\n" @ONLY)
  target_include_directories(${target} SYSTEM PRIVATE ${folder})
endfunction()
