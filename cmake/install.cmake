# cmake --install build: the program, both libraries, the Lua module for a stock luajit, and what pkg-config
# and find_package(facula) need.

include(CMakePackageConfigHelpers)

install(TARGETS facula RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(TARGETS libfacula EXPORT facula LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(TARGETS libfacula_static ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
if(TARGET facula_cuda)
  install(TARGETS facula_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endif()
install(FILES interp/facula.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} OPTIONAL)

# A stock luajit finds the module in its own folder of C modules.
file(RELATIVE_PATH to_library /${CMAKE_INSTALL_LIBDIR}/lua/5.1 /${CMAKE_INSTALL_LIBDIR}/libfacula.so)
install(CODE "
  set(folder \"\$ENV{DESTDIR}\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_LIBDIR}/lua/5.1\")
  file(MAKE_DIRECTORY \"\${folder}\")
  file(CREATE_LINK ${to_library} \"\${folder}/torch.so\" SYMBOLIC)
  message(STATUS \"Installing: \${folder}/torch.so\")")

file(RELATIVE_PATH to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
configure_file(cmake/facula.pc.in facula.pc @ONLY)
install(FILES ${CMAKE_BINARY_DIR}/facula.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/facula)
install(EXPORT facula NAMESPACE facula:: FILE faculaTargets.cmake DESTINATION ${package})
configure_package_config_file(cmake/faculaConfig.cmake.in faculaConfig.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(faculaConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/faculaConfig.cmake ${CMAKE_BINARY_DIR}/faculaConfigVersion.cmake DESTINATION ${package})
