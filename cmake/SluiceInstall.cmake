# What `cmake --install` lays down: bin/sluice, the libraries, the public headers and a relocatable CMake package whose
# components are the parts declared with sluice_component().
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sluice)
get_property(components GLOBAL PROPERTY SLUICE_COMPONENTS)

# Executables and libraries find libsluice beside them, wherever the prefix is moved to.
set(installed sluice)
if(TARGET sluice_bin)
    list(APPEND installed sluice_bin)
endif()
set_target_properties(${installed} PROPERTIES INSTALL_RPATH $ORIGIN/../${CMAKE_INSTALL_LIBDIR})
if(TARGET sluice_bin)
    install(TARGETS sluice_bin)
endif()

# All that is laid down and must be built for it.
add_custom_target(installed_parts)
add_dependencies(installed_parts ${installed})

install(TARGETS sluice EXPORT sluice-targets)
install(EXPORT sluice-targets NAMESPACE sluice:: DESTINATION ${package_dir})

# One export per component, so that a user only needs the dependencies of the parts that are asked for.
foreach(component IN LISTS components)
    add_dependencies(installed_parts sluice_${component})
    install(TARGETS sluice_${component} EXPORT sluice-${component}-targets)
    install(EXPORT sluice-${component}-targets NAMESPACE sluice:: DESTINATION ${package_dir})
endforeach()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/sluice TYPE INCLUDE FILES_MATCHING PATTERN *.hpp)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/sluice-config.cmake.in
                              ${PROJECT_BINARY_DIR}/package/sluice-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/sluice-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/sluice-config.cmake
              ${PROJECT_BINARY_DIR}/package/sluice-config-version.cmake
              ${PROJECT_SOURCE_DIR}/cmake/SluiceAddDomain.cmake
        DESTINATION ${package_dir})
