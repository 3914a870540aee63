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
    install(TARGETS sluice_bin COMPONENT program)
endif()

# All that is laid down and must be built for it.
add_custom_target(installed_parts)
add_dependencies(installed_parts ${installed})

install(TARGETS sluice EXPORT sluice-targets LIBRARY COMPONENT library NAMELINK_COMPONENT development)
install(EXPORT sluice-targets NAMESPACE sluice:: DESTINATION ${package_dir} COMPONENT development)

# One export per component, so that a user only needs the dependencies of the parts that are asked for.
foreach(component IN LISTS components)
    add_dependencies(installed_parts sluice_${component})
    install(TARGETS sluice_${component} EXPORT sluice-${component}-targets COMPONENT development)
    install(EXPORT sluice-${component}-targets NAMESPACE sluice:: DESTINATION ${package_dir} COMPONENT development)
endforeach()

install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/sluice TYPE INCLUDE COMPONENT development FILES_MATCHING PATTERN *.hpp)

configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/sluice-config.cmake.in
                              ${PROJECT_BINARY_DIR}/package/sluice-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/package/sluice-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/package/sluice-config.cmake
              ${PROJECT_BINARY_DIR}/package/sluice-config-version.cmake
              ${PROJECT_SOURCE_DIR}/cmake/SluiceAddDomain.cmake
        DESTINATION ${package_dir}
        COMPONENT development)

# Manual pages and completion are made by the program itself, of the definitions of its commands.
if(TARGET sluice_bin AND NOT CMAKE_CROSSCOMPILING)
    set(documents ${PROJECT_BINARY_DIR}/documents)
    string(TIMESTAMP today "%Y-%m-%d" UTC) # SOURCE_DATE_EPOCH makes it repeatable
    add_custom_command(
        OUTPUT ${documents}/stamp
        COMMAND ${CMAKE_COMMAND} -E rm -rf ${documents}
        COMMAND ${CMAKE_COMMAND} -E make_directory ${documents}
        COMMAND sluice_bin man --directory ${documents}/man1 --date ${today}
        COMMAND sluice_bin completion bash > ${documents}/sluice
        COMMAND sluice_bin completion zsh > ${documents}/_sluice
        COMMAND sluice_bin completion fish > ${documents}/sluice.fish
        COMMAND ${CMAKE_COMMAND} -E touch ${documents}/stamp
        DEPENDS sluice_bin
        COMMENT "Writing manual pages and completion")
    add_custom_target(documents ALL DEPENDS ${documents}/stamp)
    add_dependencies(installed_parts documents)
    install(DIRECTORY ${documents}/man1 TYPE MAN COMPONENT program)
    install(FILES ${documents}/sluice DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions COMPONENT program)
    install(FILES ${documents}/_sluice DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT program)
    install(FILES ${documents}/sluice.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d
            COMPONENT program)
endif()
install(FILES ${PROJECT_SOURCE_DIR}/packaging/systemd/sluice@.service DESTINATION lib/systemd/system COMPONENT program)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/monitoring/sluice-dashboard.json
              ${PROJECT_SOURCE_DIR}/packaging/monitoring/sluice.rules.yml
        DESTINATION ${CMAKE_INSTALL_DATADIR}/sluice/monitoring COMPONENT program)
install(FILES ${PROJECT_SOURCE_DIR}/packaging/domain.toml DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/sluice/examples
        COMPONENT program)
