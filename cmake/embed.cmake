# Files as bytes in a program.
#
# pic_embed(TARGET NAME HEADER DIR): every file in DIR becomes a row of the table NAMEs (name, content type, first 16
# digits of its SHA-256, bytes, size) of NAME_count rows; HEADER declares both and struct NAME. The C file is made in
# the build folder, again whenever a file changes.

set(PICCOLO_EMBED_SCRIPT "${CMAKE_CURRENT_LIST_DIR}/embed_files.cmake")

function(pic_embed TARGET NAME HEADER DIR)
	file(GLOB files CONFIGURE_DEPENDS "${DIR}/*")
	set(output "${CMAKE_BINARY_DIR}/embedded/${NAME}.c")
	add_custom_command(OUTPUT "${output}"
		COMMAND "${CMAKE_COMMAND}" "-DNAME=${NAME}" "-DHEADER=${HEADER}" "-DDIR=${DIR}" "-DOUTPUT=${output}"
			-P "${PICCOLO_EMBED_SCRIPT}"
		DEPENDS ${files} "${PICCOLO_EMBED_SCRIPT}" VERBATIM COMMENT "Embedding the files of ${DIR}")
	target_sources(${TARGET} PRIVATE "${output}")
endfunction()
