# facula_export(TARGET...): what our shared libraries show: facula.h, the Lua module's entry and, where there is a CUDA
# module, what it takes of core. All else stays inside. Run as a script, this file writes the linker's version script.
#
# What the CUDA module takes is read from the module itself: the symbols it lacks, and those it must have in common with
# core (the slots it fills, the types of exceptions).

if(CMAKE_SCRIPT_MODE_FILE)
  set(lines "")
  if(MODULE)
    execute_process(COMMAND ${NM} -D --format=posix ${MODULE} OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
    string(REGEX MATCHALL "_Z[A-Za-z0-9_]*6facula[A-Za-z0-9_]* [UuVw]" taken "${symbols}")
    foreach(symbol IN LISTS taken)
      string(REGEX REPLACE " .$" "" symbol ${symbol})
      string(APPEND lines "    ${symbol};\n")
    endforeach()
  endif()
  file(WRITE ${OUTPUT} "{\n  global:\n    facula_*;\n    luaopen_torch;\n${lines}  local:\n    *;\n};\n")
  return()
endif()

set(exports ${CMAKE_BINARY_DIR}/exports.map)
set(exports_script ${CMAKE_CURRENT_LIST_FILE})
add_custom_command(OUTPUT ${exports} DEPENDS ${exports_script} $<TARGET_NAME_IF_EXISTS:facula_cuda> VERBATIM
  COMMENT "Listing what our libraries show"
  COMMAND ${CMAKE_COMMAND} -DNM=${CMAKE_NM} -DOUTPUT=${exports}
    -DMODULE=$<$<TARGET_EXISTS:facula_cuda>:$<TARGET_FILE:facula_cuda>> -P ${exports_script})
add_custom_target(facula_exports DEPENDS ${exports})

function(facula_export)
  foreach(target IN LISTS ARGN)
    add_dependencies(${target} facula_exports)
    target_link_options(${target} PRIVATE -Wl,--version-script=${exports})
    set_target_properties(${target} PROPERTIES LINK_DEPENDS ${exports})
  endforeach()
endfunction()
