# Run by pic_embed (embed.cmake): writes OUTPUT with the files of DIR as the table NAMEs.

set(TYPE_css "text/css; charset=utf-8")
set(TYPE_js "text/javascript; charset=utf-8")
set(TYPE_svg "image/svg+xml")

file(GLOB files "${DIR}/*")
list(SORT files)
set(bytes "")
set(rows "")
set(number 0)
foreach(file ${files})
	cmake_path(GET file FILENAME name)
	cmake_path(GET file EXTENSION LAST_ONLY extension)
	string(SUBSTRING "${extension}" 1 -1 extension)
	if(NOT DEFINED TYPE_${extension})
		message(FATAL_ERROR "${file}: no content type is known for .${extension}; add it to cmake/embed_files.cmake")
	endif()
	file(SHA256 "${file}" hash)
	string(SUBSTRING "${hash}" 0 16 hash)
	file(READ "${file}" hex HEX)
	string(REGEX REPLACE "(..)" "0x\\1," hex "${hex}")
	string(APPEND bytes "static const unsigned char file_${number}[] = {${hex}};\n")
	string(APPEND rows
		"\t{ \"${name}\", \"${TYPE_${extension}}\", \"${hash}\", file_${number}, sizeof(file_${number}) },\n")
	math(EXPR number "${number} + 1")
endforeach()

file(WRITE "${OUTPUT}" "/* Made by cmake/embed_files.cmake. */
#include \"${HEADER}\"

${bytes}
const struct ${NAME} ${NAME}s[] = {
${rows}};
const size_t ${NAME}_count = ${number};
")
