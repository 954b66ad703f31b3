# facula_embed(VARIABLE FOLDER): a C++ file that holds every Lua file under FOLDER, generated anew when one of them changes;
# VARIABLE is its path. Run as a script, this file is the generator.
#
# init.lua is the module `torch`, nn/module.lua is `torch.nn.module`, nn/init.lua is `torch.nn`.

if(CMAKE_SCRIPT_MODE_FILE)
  file(GLOB_RECURSE files RELATIVE ${FOLDER} ${FOLDER}/*.lua)
  list(SORT files)
  set(table "")
  foreach(file IN LISTS files)
    string(REGEX REPLACE "\\.lua$" "" module "torch/${file}")
    string(REGEX REPLACE "/init$" "" module "${module}")
    string(REPLACE "/" "." module "${module}")
    file(READ ${FOLDER}/${file} text)
    string(APPEND table "    FILE_(\"${module}\", R\"embedded(${text})embedded\")\n")
  endforeach()
  file(WRITE ${OUTPUT} "#include \"interp/embedded.h\"\n\n#include <iterator>\n\n#define FILE_(name, text) {name, text, sizeof(text) - 1},\n\n"
    "const facula::EmbeddedFile facula::embedded_stdlib[] = {\n${table}};\n"
    "const size_t facula::embedded_stdlib_count = std::size(facula::embedded_stdlib);\n")
  return()
endif()

function(facula_embed variable folder)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS ${folder}/*.lua)
  set(output ${CMAKE_BINARY_DIR}/${variable}.cpp)
  set(script ${CMAKE_SOURCE_DIR}/cmake/embed.cmake)
  add_custom_command(OUTPUT ${output} DEPENDS ${files} ${script} VERBATIM
    COMMENT "Embedding ${folder}"
    COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DOUTPUT=${output} -P ${script})
  set(${variable} ${output} PARENT_SCOPE)
endfunction()
