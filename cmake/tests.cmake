# Unit tests: every tests/unit/<layer>/<name>_test.c is a program <layer>_<name>_test, linked with the layer and
# cmocka and known to ctest. Fuzzers: every tests/fuzz/<name>_fuzz.c, in the preset `fuzz` only.

if(NOT PICCOLO_FLAVOUR STREQUAL "fuzz")
	file(GLOB unit_tests CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/unit/*/*_test.c")
	foreach(source ${unit_tests})
		cmake_path(GET source PARENT_PATH folder)
		cmake_path(GET folder FILENAME layer)
		cmake_path(GET source STEM name)
		set(test ${layer}_${name})
		if(NOT TARGET pic_${layer})
			message(STATUS "${test}: src/${layer} has no C file yet, left out")
			continue()
		endif()
		# Helpers that the tests of a layer share: any other C file beside them.
		file(GLOB shared CONFIGURE_DEPENDS "${folder}/*.c")
		list(FILTER shared EXCLUDE REGEX "_test\\.c$")
		add_executable(${test} "${source}" ${shared})
		target_link_libraries(${test} PRIVATE pic_own_flags pic_${layer} third_party::cmocka)
		if(layer STREQUAL "symphony" AND TARGET pic_symphony_yaml)
			target_link_libraries(${test} PRIVATE pic_symphony_yaml)
		endif()
		# A test may stand in for a hub: it gets the server that speaks HTTPS, whatever the program links.
		set_target_properties(${test} PROPERTIES PICCOLO_HTTPS_SERVER ON PICCOLO_MAIL ON)
		target_include_directories(${test} PRIVATE "${CMAKE_SOURCE_DIR}/tests/unit")
		target_compile_definitions(${test} PRIVATE
			PIC_TEST_SOURCE_DIR="${CMAKE_SOURCE_DIR}" PIC_TEST_BUILD_DIR="${CMAKE_BINARY_DIR}")
		set_target_properties(${test} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
		add_test(NAME ${test} COMMAND ${test} WORKING_DIRECTORY "${CMAKE_BINARY_DIR}")
		set_tests_properties(${test} PROPERTIES TIMEOUT 300 LABELS "unit;${layer}" ENVIRONMENT
			"ASAN_OPTIONS=detect_leaks=1:abort_on_error=0;UBSAN_OPTIONS=print_stacktrace=1")
	endforeach()

	# The counter-test: the same test on WAMR without our patches must run into the overflow. When it no longer
	# does, the patch is to be dropped (third_party/wamr-patches says when).
	if(PICCOLO_FLAVOUR STREQUAL "asan" AND TARGET workload_wamr_cve_test)
		pic_wamr(wamr_unpatched "${PICCOLO_THIRD_PARTY}/wamr-unpatched")
		add_executable(workload_wamr_unpatched_test tests/unit/workload/wamr_cve_test.c)
		target_link_libraries(workload_wamr_unpatched_test PRIVATE pic_own_flags wamr_unpatched third_party::cmocka)
		set_target_properties(workload_wamr_unpatched_test PROPERTIES
			RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
		add_test(NAME workload_wamr_unpatched_test COMMAND workload_wamr_unpatched_test)
		set_tests_properties(workload_wamr_unpatched_test PROPERTIES
			PASS_REGULAR_EXPRESSION "heap-buffer-overflow" LABELS "unit;workload")
	endif()
else()
	file(GLOB fuzzers CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/fuzz/*_fuzz.c")
	foreach(source ${fuzzers})
		cmake_path(GET source STEM name)
		add_executable(${name} "${source}")
		target_link_libraries(${name} PRIVATE pic_own_flags)
		pic_link(${name} ${PICCOLO_LAYERS})
		set_target_properties(${name} PROPERTIES PICCOLO_HTTPS_SERVER ON PICCOLO_MAIL ON)
		target_link_options(${name} PRIVATE -fsanitize=fuzzer,address,undefined)
	endforeach()
endif()
