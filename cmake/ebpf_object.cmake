# pic_add_ebpf_object(NAME SOURCE [flag...]): build/<preset>/samples/NAME.bpf.o from C, as people do it by hand:
# clang -target bpf -g -O2 -c. DWARF is stripped, BTF stays.

find_program(EBPF_CLANG NAMES clang clang-19 clang-16 clang-15 clang-14)
find_program(EBPF_STRIP NAMES llvm-strip llvm-strip-19 llvm-strip-16 llvm-strip-15 llvm-strip-14)

set(PICCOLO_EBPF_FLAGS -target bpf -std=gnu11 -g -O2 -Wall -Wextra "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
if(CMAKE_LIBRARY_ARCHITECTURE) # asm/types.h
	list(APPEND PICCOLO_EBPF_FLAGS -idirafter "${PICCOLO_SYSROOT}/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}")
endif()

function(pic_add_ebpf_object NAME SOURCE)
	if(NOT EBPF_CLANG OR NOT EBPF_STRIP)
		message(WARNING "${NAME}.bpf.o is left out: no clang or llvm-strip on this machine (tools/setup installs them)")
		return()
	endif()
	cmake_path(ABSOLUTE_PATH SOURCE BASE_DIRECTORY "${CMAKE_CURRENT_SOURCE_DIR}")
	set(output "${PICCOLO_SAMPLES_DIR}/${NAME}.bpf.o")
	set(werror)
	if(PICCOLO_WERROR)
		set(werror -Werror)
	endif()
	add_custom_command(OUTPUT "${output}"
		COMMAND "${CMAKE_COMMAND}" -E make_directory "${PICCOLO_SAMPLES_DIR}"
		COMMAND "${EBPF_CLANG}" ${PICCOLO_EBPF_FLAGS} ${werror} ${ARGN} "-I$<JOIN:$<TARGET_PROPERTY:third_party::bpf,INTERFACE_INCLUDE_DIRECTORIES>,;-I>"
			-MMD -MF "${output}.d" -c "${SOURCE}" -o "${output}"
		COMMAND "${EBPF_STRIP}" -g "${output}"
		DEPENDS "${SOURCE}" DEPFILE "${output}.d" VERBATIM COMMAND_EXPAND_LISTS
		COMMENT "Building samples/${NAME}.bpf.o")
	add_custom_target(sample_${NAME}_object ALL DEPENDS "${output}")
	if(NOT NAME MATCHES "^test-") # a sample for people, not an object of the tests
		if(NOT TARGET samples)
			add_custom_target(samples)
		endif()
		add_dependencies(samples sample_${NAME}_object)
	endif()
endfunction()
