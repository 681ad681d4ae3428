# Every library that trainvet links; the Debian packages are listed in packages.txt.
find_package(PkgConfig REQUIRED)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib)
pkg_check_modules(JSON_C REQUIRED IMPORTED_TARGET json-c)
pkg_check_modules(YAML REQUIRED IMPORTED_TARGET yaml-0.1)
find_package(Threads REQUIRED)
find_program(PROTOC_C protoc-c REQUIRED)

pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
# Signatures of chat services; libcurl's GnuTLS flavour brings it in anyway.
pkg_check_modules(GNUTLS REQUIRED IMPORTED_TARGET gnutls)
pkg_check_modules(SYSTEMD REQUIRED IMPORTED_TARGET libsystemd)
# libinotifytools has no pkg-config file.
find_path(INOTIFYTOOLS_INCLUDE inotifytools/inotifytools.h REQUIRED)
find_library(INOTIFYTOOLS_LIBRARY inotifytools REQUIRED)
