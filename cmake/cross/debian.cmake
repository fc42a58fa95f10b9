# For another machine, with Debian's cross compiler and the sysroot that tools/sysroot makes. Included by the toolchain
# file of the architecture: cmake --preset release -DCMAKE_TOOLCHAIN_FILE=cmake/cross/arm64.cmake
set(CMAKE_SYSTEM_NAME Linux)
cmake_path(GET CMAKE_CURRENT_LIST_DIR PARENT_PATH PICCOLO_ROOT)
cmake_path(GET PICCOLO_ROOT PARENT_PATH PICCOLO_ROOT)
set(PICCOLO_SYSROOT "${PICCOLO_ROOT}/build/sysroot/${PICCOLO_ARCH}")
if(NOT EXISTS "${PICCOLO_SYSROOT}/cc")
	message(FATAL_ERROR "No ${PICCOLO_SYSROOT}: run tools/sysroot ${PICCOLO_ARCH}")
endif()

# The compiler with its sysroot is one program, so that the outside libraries are built by the same.
set(CMAKE_C_COMPILER "${PICCOLO_SYSROOT}/cc")
set(CMAKE_ASM_COMPILER "${PICCOLO_SYSROOT}/cc")
set(CMAKE_AR "/usr/bin/${PICCOLO_TRIPLET}-gcc-ar")
set(CMAKE_RANLIB "/usr/bin/${PICCOLO_TRIPLET}-gcc-ranlib")
set(CMAKE_LIBRARY_ARCHITECTURE "${PICCOLO_TRIPLET}")
set(CMAKE_FIND_ROOT_PATH "${PICCOLO_SYSROOT}")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

# pkg-config answers for the sysroot, here and in third_party/build.
set(ENV{PKG_CONFIG_LIBDIR} "${PICCOLO_SYSROOT}/usr/lib/${PICCOLO_TRIPLET}/pkgconfig:${PICCOLO_SYSROOT}/usr/share/pkgconfig")
set(ENV{PKG_CONFIG_SYSROOT_DIR} "${PICCOLO_SYSROOT}")

# Unit tests run on the emulated processor. They find the sysroot's libraries by themselves: qemu's own -L would show
# them the sysroot in the place of / and /tmp.
find_program(PICCOLO_QEMU_PROGRAM "${PICCOLO_QEMU}")
if(PICCOLO_QEMU_PROGRAM)
	set(CMAKE_CROSSCOMPILING_EMULATOR "${PICCOLO_QEMU_PROGRAM}")
endif()
set(PICCOLO_RUN_IN_SYSROOT
	"-Wl,--dynamic-linker=${PICCOLO_SYSROOT}/${PICCOLO_LOADER}"
	"-Wl,--disable-new-dtags,-rpath,${PICCOLO_SYSROOT}/lib/${PICCOLO_TRIPLET}:${PICCOLO_SYSROOT}/usr/lib/${PICCOLO_TRIPLET}")
