# One static library for each layer, made of all C files in its folder, and the three programs. Files are found by
# themselves; a layer without a C file is skipped, so that the tree can grow.
#
# The dependencies go downwards only. tools/check-layers checks the #include lines against its own copy of the table.

set(PICCOLO_LAYERS) # the layers that exist, lower ones first

# pic_sources(VAR DIR): the C files below DIR.
function(pic_sources VAR DIR)
	file(GLOB_RECURSE found CONFIGURE_DEPENDS "${DIR}/*.c")
	set(${VAR} ${found} PARENT_SCOPE)
endfunction()

# pic_link(TARGET LAYER...): link the layers of the list that exist.
function(pic_link TARGET)
	get_target_property(type ${TARGET} TYPE)
	set(how PUBLIC)
	if(type STREQUAL "INTERFACE_LIBRARY")
		set(how INTERFACE)
	endif()
	foreach(dependency ${ARGN})
		if(TARGET pic_${dependency})
			target_link_libraries(${TARGET} ${how} pic_${dependency})
		endif()
	endforeach()
endfunction()

# pic_layer(NAME [ALWAYS] [EXCLUDE REGEX] [ONLY REGEX] [FOLDER DIR] DEPENDS layer... LIBRARIES target...)
function(pic_layer NAME)
	cmake_parse_arguments(PARSE_ARGV 1 arg "ALWAYS" "EXCLUDE;ONLY;FOLDER" "DEPENDS;LIBRARIES")
	if(NOT arg_FOLDER)
		set(arg_FOLDER "${NAME}")
	endif()
	pic_sources(sources "${CMAKE_SOURCE_DIR}/src/${arg_FOLDER}")
	if(arg_EXCLUDE)
		list(FILTER sources EXCLUDE REGEX "${arg_EXCLUDE}")
	endif()
	if(arg_ONLY)
		list(FILTER sources INCLUDE REGEX "${arg_ONLY}")
	endif()
	if(NOT sources AND NOT arg_ALWAYS)
		return()
	endif()
	if(NOT sources) # only main.c so far: the program still needs what the layer links
		add_library(pic_${NAME} INTERFACE)
		target_link_libraries(pic_${NAME} INTERFACE ${arg_LIBRARIES})
		pic_link(pic_${NAME} ${arg_DEPENDS})
		return()
	endif()
	add_library(pic_${NAME} STATIC ${sources})
	target_link_libraries(pic_${NAME} PRIVATE pic_own_flags PUBLIC ${arg_LIBRARIES})
	pic_link(pic_${NAME} ${arg_DEPENDS})
	set_target_properties(pic_${NAME} PROPERTIES INTERPROCEDURAL_OPTIMIZATION ${PICCOLO_LTO})
	list(APPEND PICCOLO_LAYERS ${NAME})
	set(PICCOLO_LAYERS ${PICCOLO_LAYERS} PARENT_SCOPE)
endfunction()

# pic_program(NAME LAYER): src/<layer>/main.c and the rest of the layer as a library, for its unit tests.
function(pic_program NAME LAYER)
	set(main "${CMAKE_SOURCE_DIR}/src/${LAYER}/main.c")
	if(NOT EXISTS "${main}")
		return()
	endif()
	add_executable(${NAME} "${main}")
	target_link_libraries(${NAME} PRIVATE pic_own_flags pic_${LAYER})
	set_target_properties(${NAME} PROPERTIES INTERPROCEDURAL_OPTIMIZATION ${PICCOLO_LTO})
	install(TARGETS ${NAME} RUNTIME)
endfunction()

pic_layer(base LIBRARIES third_party::jansson)
pic_layer(crypto DEPENDS base LIBRARIES third_party::mbedtls)
pic_layer(protocol DEPENDS base)
pic_layer(admission DEPENDS base crypto protocol)
# net includes microhttpd.h; the program chooses which of the two archives it links (PICCOLO_HTTPS_SERVER).
pic_layer(net DEPENDS base crypto LIBRARIES third_party::curl third_party::microhttpd_chosen)
pic_layer(symphony EXCLUDE "/symphony/yaml[^/]*\\.c$" DEPENDS base)
# YAML never comes onto a device, so it is a library of its own: for the hub and the command line.
pic_layer(symphony_yaml FOLDER symphony ONLY "/symphony/yaml[^/]*\\.c$" DEPENDS symphony base
	LIBRARIES third_party::yaml)
pic_layer(ignition DEPENDS base)
pic_layer(sandbox DEPENDS base)
pic_layer(workload DEPENDS base crypto protocol admission sandbox LIBRARIES third_party::wamr third_party::bpf)
pic_layer(supervisor DEPENDS base crypto protocol admission sandbox workload)
pic_layer(agent DEPENDS base crypto protocol admission net workload symphony)
pic_layer(device ALWAYS EXCLUDE "/device/main\\.c$"
	DEPENDS base crypto protocol admission net symphony sandbox workload supervisor agent)
pic_layer(hub ALWAYS EXCLUDE "/hub/main\\.c$"
	DEPENDS base crypto protocol admission net symphony symphony_yaml ignition LIBRARIES third_party::sqlite m)
pic_layer(ctl ALWAYS EXCLUDE "/ctl/main\\.c$" DEPENDS base protocol net symphony symphony_yaml ignition)

# The files of the hub's page are part of the program.
include(embed)
pic_embed(pic_hub pic_web_asset hub/web/assets.h "${CMAKE_SOURCE_DIR}/src/hub/web/page")

pic_program(piccolo device)
pic_program(piccolo-hub hub)
pic_program(piccoloctl ctl)
# What a person wants of the tree, without the tests: `cmake --build build/release --target programs`.
add_custom_target(programs)
foreach(program piccolo piccolo-hub piccoloctl)
	if(TARGET ${program})
		add_dependencies(programs ${program})
	endif()
endforeach()
if(TARGET piccolo-hub)
	set_target_properties(piccolo-hub PROPERTIES PICCOLO_HTTPS_SERVER ON PICCOLO_MAIL ON)
endif()

# `make install`: the programs come with their units; policy.conf is root's, an existing one is kept by packages.
install(DIRECTORY image/systemd/ DESTINATION lib/systemd/system)
install(DIRECTORY image/sysusers.d/ DESTINATION lib/sysusers.d)
install(FILES etc/policy.conf etc/piccolo.conf.example etc/hub.conf DESTINATION share/piccolo)
