# cmake --install build: the program, both libraries, the Lua module for a stock luajit, and what pkg-config
# and find_package(facula) need.

include(CMakePackageConfigHelpers)

install(TARGETS facula RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
if(FACULA_PORTABLE)
  return()
endif()
install(TARGETS libfacula EXPORT facula LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS libfacula_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET facula_cuda)
  install(TARGETS facula_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
install(FILES interp/facula.h interp/facula.hpp interp/facula_dlpack.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
# A stock luajit finds the module in its own folder of C modules.
set(FACULA_MODULE_DIR "" CACHE STRING "Where torch.so is installed, a folder of package.cpath; empty: LuaJIT's own")
set(module_folder ${FACULA_MODULE_DIR})
if(NOT module_folder)
  set(module_folder ${CMAKE_INSTALL_LIBDIR}/lua/5.1)
endif()
install(TARGETS facula_module LIBRARY DESTINATION ${module_folder})

file(RELATIVE_PATH to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
set(FACULA_PICTURE_LIBRARIES "")
if(PNG_FOUND)
  string(APPEND FACULA_PICTURE_LIBRARIES "-lpng ")
endif()
if(JPEG_FOUND)
  string(APPEND FACULA_PICTURE_LIBRARIES "-ljpeg ")
endif()
configure_file(cmake/facula.pc.in facula.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/facula.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/facula)
install(EXPORT facula NAMESPACE facula:: FILE faculaTargets.cmake DESTINATION ${package})
configure_package_config_file(cmake/faculaConfig.cmake.in faculaConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(faculaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/faculaConfig.cmake ${CMAKE_BINARY_DIR}/faculaConfigVersion.cmake DESTINATION ${package})

# cpack -G DEB: a package of what is installed, which depends on what the libraries in it need.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "facula's developers")
set(CPACK_PACKAGING_INSTALL_PREFIX ${CMAKE_INSTALL_PREFIX}) # /usr in the preset `package`
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION interpreters)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON) # has the loader told of the library
set(CPACK_STRIP_FILES ON)
include(CPack)
