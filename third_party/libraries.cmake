# The outside libraries as targets third_party::NAME. Our own code links through these names only, so that a library
# can be replaced here. What third_party/build made lies in build/third_party, whatever the build folder is.

set(PICCOLO_THIRD_PARTY "${CMAKE_SOURCE_DIR}/build/third_party")
if(CMAKE_CROSSCOMPILING)
	set(PICCOLO_THIRD_PARTY "${PICCOLO_THIRD_PARTY}/${CMAKE_LIBRARY_ARCHITECTURE}")
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

# Bring and build what is missing. Both scripts end at once when there is nothing to do.
set(environment)
if(PICCOLO_SOURCES)
	set(environment "${CMAKE_COMMAND}" -E env "PICCOLO_SOURCES=${PICCOLO_SOURCES}")
endif()
foreach(script fetch build)
	execute_process(COMMAND ${environment} "${CMAKE_SOURCE_DIR}/third_party/${script}" RESULT_VARIABLE status)
	if(NOT status EQUAL 0)
		message(FATAL_ERROR "third_party/${script} failed (see above). tools/setup installs what it needs.")
	endif()
endforeach()
set_property(DIRECTORY "${CMAKE_SOURCE_DIR}" APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
	"${CMAKE_SOURCE_DIR}/third_party/lock" "${CMAKE_SOURCE_DIR}/third_party/build"
	"${CMAKE_SOURCE_DIR}/third_party/mbedtls_config.h")

# pic_archive(NAME FILE [LIBRARIES target...]): an archive of ours. Real targets, so that CMake knows their order.
function(pic_archive NAME FILE)
	cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "LIBRARIES")
	add_library(${NAME} STATIC IMPORTED)
	set_target_properties(${NAME} PROPERTIES IMPORTED_LOCATION "${PICCOLO_THIRD_PARTY}/install/lib/${FILE}")
	target_include_directories(${NAME} SYSTEM INTERFACE "${PICCOLO_THIRD_PARTY}/install/include")
	target_link_libraries(${NAME} INTERFACE ${arg_LIBRARIES})
endfunction()

# pic_packaged(NAME MODULE [STATIC]): a library of the distribution, by pkg-config. STATIC: its archive where there
# is one, because the programs should need nothing but libc.
function(pic_packaged NAME MODULE)
	cmake_parse_arguments(PARSE_ARGV 2 arg "STATIC" "" "")
	string(MAKE_C_IDENTIFIER "PC_${MODULE}" pc)
	pkg_check_modules(${pc} REQUIRED QUIET "${MODULE}")
	add_library(${NAME} INTERFACE IMPORTED)
	target_include_directories(${NAME} SYSTEM INTERFACE ${${pc}_INCLUDE_DIRS})
	set(links ${${pc}_LINK_LIBRARIES})
	if(arg_STATIC AND NOT PICCOLO_SYSTEM_LIBS)
		list(TRANSFORM links REPLACE "\\.so$" ".a")
		foreach(file ${links})
			if(NOT EXISTS "${file}")
				message(FATAL_ERROR "${MODULE}: no static archive ${file}; install the -dev package")
			endif()
		endforeach()
	endif()
	target_link_libraries(${NAME} INTERFACE ${links})
endfunction()

pic_packaged(third_party::jansson jansson STATIC)
pic_packaged(third_party::yaml yaml-0.1)
pic_packaged(third_party::sqlite sqlite3)
pic_packaged(third_party::cmocka cmocka)

if(PICCOLO_SYSTEM_LIBS)
	pic_packaged(third_party::curl libcurl)
	pic_packaged(third_party::microhttpd libmicrohttpd)
	pic_packaged(third_party::microhttpd_tls libmicrohttpd)
	find_library(MBEDTLS_LIBRARY mbedtls REQUIRED)
	find_library(MBEDX509_LIBRARY mbedx509 REQUIRED)
	find_library(MBEDCRYPTO_LIBRARY mbedcrypto REQUIRED)
	add_library(third_party::mbedtls INTERFACE IMPORTED)
	target_link_libraries(third_party::mbedtls INTERFACE
		"${MBEDTLS_LIBRARY}" "${MBEDX509_LIBRARY}" "${MBEDCRYPTO_LIBRARY}")
else()
	pic_archive(third_party::mbedcrypto libmbedcrypto.a)
	pic_archive(third_party::mbedx509 libmbedx509.a LIBRARIES third_party::mbedcrypto)
	pic_archive(third_party::mbedtls libmbedtls.a LIBRARIES third_party::mbedx509 third_party::mbedcrypto)
	pic_archive(third_party::curl libcurl.a LIBRARIES third_party::mbedtls Threads::Threads)
	target_compile_definitions(third_party::curl INTERFACE CURL_STATICLIB)
	pic_archive(third_party::microhttpd libmicrohttpd.a LIBRARIES Threads::Threads)
	pic_packaged(third_party::gnutls gnutls)
	pic_archive(third_party::microhttpd_tls libmicrohttpd_tls.a LIBRARIES third_party::gnutls Threads::Threads)
endif()

# Who links pic_net says by its property PICCOLO_HTTPS_SERVER which of the two archives it gets: the hub serves HTTPS,
# the device never does and must not pull GnuTLS in.
add_library(third_party::microhttpd_chosen INTERFACE IMPORTED)
target_link_libraries(third_party::microhttpd_chosen INTERFACE
	$<IF:$<BOOL:$<TARGET_PROPERTY:PICCOLO_HTTPS_SERVER>>,third_party::microhttpd_tls,third_party::microhttpd>)

include("${CMAKE_SOURCE_DIR}/third_party/wamr.cmake")
