# tv_flags: what every target of ours is compiled with.
add_library(tv_flags INTERFACE)
target_compile_definitions(tv_flags INTERFACE _GNU_SOURCE TRAINVET_VERSION="${PROJECT_VERSION}")
target_compile_options(tv_flags INTERFACE
  -Wall -Wextra -Wshadow -Wpointer-arith -Wstrict-prototypes -Wmissing-prototypes -Wvla
  -Wwrite-strings -Wformat=2 -Wundef -Wnull-dereference -fno-common
  # Schedules must give the frameworks' own doubles: no contraction into fused operations.
  -ffp-contract=off
  $<$<BOOL:${TRAINVET_WERROR}>:-Werror>
  $<$<CONFIG:Release>:-fstack-protector-strong -fcf-protection>)
target_compile_definitions(tv_flags INTERFACE $<$<CONFIG:Release>:_FORTIFY_SOURCE=2>)
target_link_options(tv_flags INTERFACE -Wl,-z,relro,-z,now)
target_include_directories(tv_flags INTERFACE ${PROJECT_SOURCE_DIR}/include)
# A release is optimized as a whole: detectors ask the engine at every point. The objects hold ordinary code as well, so
# that the many test programs are linked fast; only targets with TV_WHOLE take the long way.
if(CMAKE_C_COMPILER_ID STREQUAL "GNU" AND NOT TRAINVET_SANITIZE)
  target_compile_options(tv_flags INTERFACE $<$<CONFIG:Release>:-flto=auto;-ffat-lto-objects>)
  target_link_options(tv_flags INTERFACE
    $<$<CONFIG:Release>:$<IF:$<BOOL:$<TARGET_PROPERTY:TV_WHOLE>>,-flto=auto,-fno-lto>>)
endif()
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

if(TRAINVET_SANITIZE)
  target_compile_options(tv_flags INTERFACE
    -fsanitize=${TRAINVET_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(tv_flags INTERFACE -fsanitize=${TRAINVET_SANITIZE})
endif()
