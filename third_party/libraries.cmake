# The outside libraries as targets third_party::NAME. Our own code links through these names only, so that a library
# can be replaced here. What third_party/build made lies in build/third_party, whatever the build folder is.

set(PICCOLO_THIRD_PARTY "${CMAKE_SOURCE_DIR}/build/third_party")
if(CMAKE_CROSSCOMPILING)
	set(PICCOLO_THIRD_PARTY "${PICCOLO_THIRD_PARTY}/${CMAKE_LIBRARY_ARCHITECTURE}")
endif()

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

# The distribution's libraries in the place of our own builds, where they are new enough. mbedTLS 2.28 is not: its
# interface is another one, and it has no TLS 1.3.
set(third_party_ours mbedtls curl libmicrohttpd libbpf)
if(PICCOLO_SYSTEM_LIBS)
	pkg_check_modules(SYSTEM_MBEDTLS QUIET "mbedtls >= 3.6" "mbedx509 >= 3.6" "mbedcrypto >= 3.6")
	pkg_check_modules(SYSTEM_CURL QUIET "libcurl >= 7.88")
	pkg_check_modules(SYSTEM_MICROHTTPD QUIET "libmicrohttpd >= 1.0")
	pkg_check_modules(SYSTEM_BPF QUIET "libbpf >= 1.5")
	foreach(pair "mbedtls;MBEDTLS" "curl;CURL" "libmicrohttpd;MICROHTTPD" "libbpf;BPF")
		list(GET pair 0 name)
		list(GET pair 1 variable)
		if(SYSTEM_${variable}_FOUND)
			list(REMOVE_ITEM third_party_ours ${name})
		else()
			message(STATUS "${name}: the distribution has none that is new enough; our own build is used")
		endif()
	endforeach()
endif()

# Bring and build what is missing. Both scripts end at once when there is nothing to do.
set(environment)
if(PICCOLO_SOURCES)
	set(environment "${CMAKE_COMMAND}" -E env "PICCOLO_SOURCES=${PICCOLO_SOURCES}")
endif()
set(host)
if(CMAKE_CROSSCOMPILING)
	set(environment "${CMAKE_COMMAND}" -E env ${environment} "THIRD_PARTY_CC=${CMAKE_C_COMPILER}")
	set(host --host "${CMAKE_LIBRARY_ARCHITECTURE}")
endif()
set(needed ${third_party_ours})
if("curl" IN_LIST third_party_ours AND NOT "mbedtls" IN_LIST third_party_ours)
	list(APPEND needed mbedtls) # our curl is linked with our mbedTLS
endif()
foreach(step "fetch;${needed};wamrx-sys" "build;${host};${needed};wamr")
	list(POP_FRONT step script)
	execute_process(COMMAND ${environment} "${CMAKE_SOURCE_DIR}/third_party/${script}" ${step} RESULT_VARIABLE status)
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

if("mbedtls" IN_LIST needed)
	pic_archive(third_party::mbedcrypto libmbedcrypto.a)
	pic_archive(third_party::mbedx509 libmbedx509.a LIBRARIES third_party::mbedcrypto)
	pic_archive(third_party::mbedtls libmbedtls.a LIBRARIES third_party::mbedx509 third_party::mbedcrypto)
else()
	pic_packaged(third_party::mbedcrypto mbedcrypto)
	pic_packaged(third_party::mbedx509 mbedx509)
	pic_packaged(third_party::mbedtls mbedtls)
	target_link_libraries(third_party::mbedtls INTERFACE third_party::mbedx509 third_party::mbedcrypto)
endif()

# libbpf reads ELF through libelf, and both want zlib only for what we refuse (compressed sections) or hardly ever
# have (a compressed kernel configuration): third_party/zlib_none.c answers in its place.
if("libbpf" IN_LIST third_party_ours)
	pic_packaged(third_party::elf libelf STATIC)
	add_library(zlib_none STATIC "${CMAKE_SOURCE_DIR}/third_party/zlib_none.c")
	target_link_libraries(third_party::elf INTERFACE zlib_none)
	pic_archive(third_party::bpf libbpf.a LIBRARIES third_party::elf)
else()
	pic_packaged(third_party::bpf libbpf)
endif()

# Who links pic_net says by its property PICCOLO_MAIL which of the two it gets: the hub sends mail, the device never does.
if("curl" IN_LIST third_party_ours)
	pic_archive(third_party::curl_http libcurl.a LIBRARIES third_party::mbedtls Threads::Threads)
	add_library(curl_no_digest STATIC "${CMAKE_SOURCE_DIR}/third_party/curl_no_digest.c")
	pic_archive(third_party::curl_mail libcurl_mail.a
		LIBRARIES curl_no_digest third_party::mbedtls Threads::Threads)
	add_library(third_party::curl INTERFACE IMPORTED)
	target_link_libraries(third_party::curl INTERFACE
		$<IF:$<BOOL:$<TARGET_PROPERTY:PICCOLO_MAIL>>,third_party::curl_mail,third_party::curl_http>)
	target_compile_definitions(third_party::curl INTERFACE CURL_STATICLIB)
else()
	pic_packaged(third_party::curl libcurl)
endif()

if("libmicrohttpd" IN_LIST third_party_ours)
	pic_archive(third_party::microhttpd libmicrohttpd.a LIBRARIES Threads::Threads)
	pic_packaged(third_party::gnutls gnutls)
	pic_archive(third_party::microhttpd_tls libmicrohttpd_tls.a LIBRARIES third_party::gnutls Threads::Threads)
else()
	pic_packaged(third_party::gnutls gnutls)
	pic_packaged(third_party::microhttpd libmicrohttpd)
	pic_packaged(third_party::microhttpd_tls libmicrohttpd)
	target_link_libraries(third_party::microhttpd_tls INTERFACE third_party::gnutls)
endif()

# Who links pic_net says by its property PICCOLO_HTTPS_SERVER which of the two archives it gets: the hub serves HTTPS,
# the device never does and must not pull GnuTLS in.
add_library(third_party::microhttpd_chosen INTERFACE IMPORTED)
target_link_libraries(third_party::microhttpd_chosen INTERFACE
	$<IF:$<BOOL:$<TARGET_PROPERTY:PICCOLO_HTTPS_SERVER>>,third_party::microhttpd_tls,third_party::microhttpd>)

include("${CMAKE_SOURCE_DIR}/third_party/wamr.cmake")
