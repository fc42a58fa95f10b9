# WAMR's fast interpreter, compiled here and not by third_party/build, so that the sanitizers see it too.
#
# Everything is -Os except the interpreter's loop, which is -O2 and aligned: 4 KB more, 1.2 to 1.9 times faster.
# No libc-wasi: src/workload/wasm has our own layer. No hardware bound checks: they cost 8 MB of touched stack and
# 8 GB of address space for each module, and buy nothing in an interpreter.

set(wamr_interpreter
	core/iwasm/interpreter/wasm_interp_fast.c
	core/iwasm/interpreter/wasm_loader.c
	core/iwasm/interpreter/wasm_runtime.c)
set(wamr_common
	core/iwasm/common/wasm_application.c
	core/iwasm/common/wasm_c_api.c
	core/iwasm/common/wasm_exec_env.c
	core/iwasm/common/wasm_loader_common.c
	core/iwasm/common/wasm_memory.c
	core/iwasm/common/wasm_native.c
	core/iwasm/common/wasm_runtime_common.c
	core/shared/mem-alloc/ems/ems_alloc.c
	core/shared/mem-alloc/ems/ems_gc.c
	core/shared/mem-alloc/ems/ems_hmu.c
	core/shared/mem-alloc/ems/ems_kfc.c
	core/shared/mem-alloc/mem_alloc.c
	core/shared/platform/common/posix/posix_blocking_op.c
	core/shared/platform/common/posix/posix_clock.c
	core/shared/platform/common/posix/posix_malloc.c
	core/shared/platform/common/posix/posix_memmap.c
	core/shared/platform/common/posix/posix_thread.c
	core/shared/platform/common/posix/posix_time.c
	core/shared/platform/linux/platform_init.c
	core/shared/utils/bh_assert.c
	core/shared/utils/bh_bitmap.c
	core/shared/utils/bh_common.c
	core/shared/utils/bh_hashmap.c
	core/shared/utils/bh_leb128.c
	core/shared/utils/bh_list.c
	core/shared/utils/bh_log.c
	core/shared/utils/bh_vector.c
	core/shared/utils/runtime_timer.c)

set(wamr_defines
	BH_PLATFORM_LINUX
	BH_MALLOC=wasm_runtime_malloc
	BH_FREE=wasm_runtime_free
	WASM_ENABLE_INTERP=1
	WASM_ENABLE_FAST_INTERP=1
	WASM_ENABLE_BULK_MEMORY=1
	WASM_ENABLE_BULK_MEMORY_OPT=1
	WASM_ENABLE_CALL_INDIRECT_OVERLONG=1
	WASM_ENABLE_REF_TYPES=1
	WASM_ENABLE_SHRUNK_MEMORY=1
	WASM_DISABLE_HW_BOUND_CHECK=1
	WASM_DISABLE_STACK_HW_BOUND_CHECK=1
	WASM_ENABLE_AOT=0
	WASM_ENABLE_SIMD=0
	WASM_ENABLE_LIBC_WASI=0
	WASM_ENABLE_LIBC_BUILTIN=0
	WASM_ENABLE_MULTI_MODULE=0
	WASM_ENABLE_TAIL_CALL=0
	WASM_ENABLE_THREAD_MGR=0
	WASM_ENABLE_QUICK_AOT_ENTRY=0
	WASM_ENABLE_AOT_INTRINSICS=0
	WASM_HAVE_MREMAP=1
	WASM_DISABLE_WRITE_GS_BASE=1 # for compiled modules only, and processors before 2012 do not know the instruction
	# Aligned code has offsets of four bytes where the other has pointers of eight: a fifth less memory for each
	# module, at the same speed.
	WASM_CPU_SUPPORTS_UNALIGNED_ADDR_ACCESS=0
	# A trap names the guest's function: frames are kept when it happens. The names are looked up then, in the file
	# (src/workload/wasm/module.c): the engine would keep them in memory, and refuse a module for damage among them.
	WASM_ENABLE_DUMP_CALL_STACK=1
	pthread_getattr_np=pic_stack_bounds_unknown # wamr_stack.c
	WASM_ENABLE_CUSTOM_NAME_SECTION=0
	BH_VPRINTF=pic_wasm_engine_print)

# The native call: assembly for the machines we know, WAMR's portable C for the others.
set(wamr_arch core/iwasm/common/arch)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|amd64|AMD64)$")
	list(APPEND wamr_defines BUILD_TARGET_X86_64)
	list(APPEND wamr_common ${wamr_arch}/invokeNative_em64.s)
elseif(CMAKE_SYSTEM_PROCESSOR MATCHES "^(aarch64|arm64)$")
	list(APPEND wamr_defines BUILD_TARGET_AARCH64)
	list(APPEND wamr_common ${wamr_arch}/invokeNative_aarch64.s)
else()
	list(APPEND wamr_common ${wamr_arch}/invokeNative_general.c)
endif()

# pic_wamr(NAME ROOT): the library out of one source tree.
function(pic_wamr NAME ROOT)
	list(TRANSFORM wamr_interpreter PREPEND "${ROOT}/" OUTPUT_VARIABLE interpreter)
	list(TRANSFORM wamr_common PREPEND "${ROOT}/" OUTPUT_VARIABLE common)
	add_library(${NAME} STATIC ${interpreter} ${common} "${CMAKE_SOURCE_DIR}/third_party/wamr_print.c"
		"${CMAKE_SOURCE_DIR}/third_party/wamr_stack.c")
	set(options)
	if(PICCOLO_FLAVOUR MATCHES "^(dev|release)$")
		set(options -Os)
	endif()
	set_source_files_properties(${interpreter} ${common} TARGET_DIRECTORY ${NAME}
		PROPERTIES COMPILE_OPTIONS "${options}")
	set_source_files_properties("${ROOT}/core/shared/platform/linux/platform_init.c" TARGET_DIRECTORY ${NAME}
		PROPERTIES COMPILE_OPTIONS "${options};-include;${CMAKE_SOURCE_DIR}/third_party/wamr_print.h")
	target_compile_definitions(${NAME} PRIVATE ${wamr_defines})
	target_include_directories(${NAME} PRIVATE
		"${ROOT}/core"
		"${ROOT}/core/iwasm/common"
		"${ROOT}/core/iwasm/common/gc"
		"${ROOT}/core/iwasm/interpreter"
		"${ROOT}/core/iwasm/libraries/thread-mgr"
		"${ROOT}/core/shared/mem-alloc"
		"${ROOT}/core/shared/platform/include"
		"${ROOT}/core/shared/platform/common/libc-util"
		"${ROOT}/core/shared/platform/linux"
		"${ROOT}/core/shared/utils")
	target_include_directories(${NAME} SYSTEM PUBLIC "${ROOT}/core/iwasm/include")
	# Without errno for square roots, gcc needs no call into libm at all: one shared library less in every runner.
	target_compile_options(${NAME} PRIVATE -w $<$<COMPILE_LANGUAGE:C>:-std=gnu99 -fno-math-errno>)
	target_link_libraries(${NAME} PUBLIC m Threads::Threads)
	set_target_properties(${NAME} PROPERTIES INTERPROCEDURAL_OPTIMIZATION OFF)
	if(PICCOLO_FLAVOUR MATCHES "^(asan|fuzz)$")
		# Addresses are checked; its unaligned accesses are meant (WASM_CPU_SUPPORTS_UNALIGNED_ADDR_ACCESS).
		target_compile_options(${NAME} PRIVATE -fno-sanitize=undefined)
	endif()
	if(PICCOLO_FLAVOUR MATCHES "^(dev|release)$")
		target_compile_definitions(${NAME} PRIVATE NDEBUG)
		list(GET interpreter 0 loop)
		set_source_files_properties("${loop}" TARGET_DIRECTORY ${NAME}
			PROPERTIES COMPILE_OPTIONS "-O2;-falign-functions=64")
	endif()
endfunction()

pic_wamr(wamr "${PICCOLO_THIRD_PARTY}/wamr")
add_library(third_party::wamr ALIAS wamr)
