# pic_add_wasm_sample(NAME SOURCES file...): build/<preset>/samples/NAME.wasm from C, with Debian's clang, lld and
# wasi-libc. Other arguments: FLAGS (for the compiler), LINK (for the linker).

find_program(WASM_CLANG NAMES clang clang-19 clang-16 clang-15 clang-14)
find_program(WASM_LD NAMES wasm-ld wasm-ld-19 wasm-ld-16 wasm-ld-15 wasm-ld-14)

set(PICCOLO_SAMPLES_DIR "${CMAKE_BINARY_DIR}/samples")
set(PICCOLO_WASM_FLAGS --target=wasm32-wasi -std=gnu11 -Os -g0 -Wall -Wextra
	"-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")

function(pic_add_wasm_sample NAME)
	cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;FLAGS;LINK")
	if(NOT WASM_CLANG OR NOT WASM_LD)
		message(WARNING "${NAME}.wasm is left out: no clang or wasm-ld on this machine (tools/setup installs them)")
		return()
	endif()
	set(sources)
	foreach(source ${arg_SOURCES})
		cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
		list(APPEND sources "${source}")
	endforeach()
	set(output "${PICCOLO_SAMPLES_DIR}/${NAME}.wasm")
	set(werror)
	if(PICCOLO_WERROR)
		set(werror -Werror)
	endif()
	# -s would take the name section too, and with it the function names that a trap is reported with.
	add_custom_command(OUTPUT "${output}"
		COMMAND "${CMAKE_COMMAND}" -E make_directory "${PICCOLO_SAMPLES_DIR}"
		COMMAND "${WASM_CLANG}" ${PICCOLO_WASM_FLAGS} ${werror} ${arg_FLAGS} ${sources} -o "${output}"
			-Wl,--strip-debug ${arg_LINK}
		DEPENDS ${sources} VERBATIM COMMENT "Building samples/${NAME}.wasm")
	add_custom_target(sample_${NAME} ALL DEPENDS "${output}")
	if(NOT NAME MATCHES "^test-") # a sample for people, not a module of the tests
		if(NOT TARGET samples)
			add_custom_target(samples)
		endif()
		add_dependencies(samples sample_${NAME})
	endif()
endfunction()
