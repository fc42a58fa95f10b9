# Compiler and linker flags of the four builds. Own code gets pic_own_flags (warnings), everything gets the rest.

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # gnu11, for the cleanup attribute
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
include(CheckPIESupported)
check_pie_supported()
set(CMAKE_C_COMPILE_OPTIONS_PIC ${CMAKE_C_COMPILE_OPTIONS_PIE}) # there are programs only, no shared library

# The presets say everything; a build type would add flags of its own.
set(CMAKE_BUILD_TYPE "None" CACHE STRING "" FORCE)

# Empty, so that a source that says `#define _GNU_SOURCE` repeats it and does not change it.
add_compile_definitions(_GNU_SOURCE=)
# Where a pointer has 32 bits, files larger than 2 GB and times after 2038 all the same.
if(CMAKE_SIZEOF_VOID_P EQUAL 4)
	add_compile_definitions(_FILE_OFFSET_BITS=64 _TIME_BITS=64)
endif()
add_compile_options(-fno-common)
add_link_options(-Wl,-z,noexecstack)

# The sections that nothing refers to are dropped in every build, so that what links in `release` links in `dev`.
add_compile_options(-ffunction-sections -fdata-sections)
add_link_options(-Wl,--gc-sections -Wl,--as-needed)

set(PICCOLO_WERROR OFF)
if(PICCOLO_FLAVOUR STREQUAL "dev")
	add_compile_options(-Og -g)
	set(PICCOLO_WERROR ON)
elseif(PICCOLO_FLAVOUR STREQUAL "asan")
	add_compile_options(-O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all)
	add_link_options(-fsanitize=address,undefined)
	set(PICCOLO_WERROR ON)
elseif(PICCOLO_FLAVOUR STREQUAL "release")
	# No machine path in a binary, and the same bytes from any folder.
	add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
	add_compile_options(-Os -g0 -fno-asynchronous-unwind-tables -fno-unwind-tables
		-fstack-protector-strong -fstack-clash-protection -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
	if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|amd64")
		add_compile_options(-fcf-protection)
	endif()
	add_compile_definitions(NDEBUG)
	add_link_options(-Wl,-z,relro,-z,now -Wl,-O1 -Wl,--build-id=sha1 -s)
elseif(PICCOLO_FLAVOUR STREQUAL "fuzz")
	if(NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
		message(FATAL_ERROR "The fuzz build wants clang (libFuzzer): cmake --preset fuzz")
	endif()
	add_compile_options(-O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined
		-fno-sanitize-recover=all)
	add_link_options(-fsanitize=address,undefined)
else()
	message(FATAL_ERROR "PICCOLO_FLAVOUR is \"${PICCOLO_FLAVOUR}\"; it must be dev, asan, release or fuzz")
endif()

# Own code only. Third-party code that our CMake compiles has its warnings off.
add_library(pic_own_flags INTERFACE)
target_include_directories(pic_own_flags INTERFACE "${CMAKE_SOURCE_DIR}/src")
target_compile_options(pic_own_flags INTERFACE
	-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wformat=2 -Wundef -Wvla)
# Sentences for people are cut to their buffer on purpose; what this warning says depends on the optimiser besides.
target_compile_options(pic_own_flags INTERFACE $<$<C_COMPILER_ID:GNU>:-Wno-format-truncation>)
if(PICCOLO_WERROR)
	target_compile_options(pic_own_flags INTERFACE -Werror)
endif()

# Link-time optimisation of our own code in `release` with gcc (clang's wants another linker). Never of WAMR: it makes
# the interpreter 1.5 to 2.5 times slower.
set(PICCOLO_LTO OFF)
if(PICCOLO_FLAVOUR STREQUAL "release" AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
	include(CheckIPOSupported)
	check_ipo_supported(RESULT PICCOLO_LTO OUTPUT PICCOLO_LTO_WHY LANGUAGES C)
endif()
