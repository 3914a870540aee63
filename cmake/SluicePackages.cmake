# What `cpack` makes (scripts/package.sh): libsluice0 for programs that are linked with the library, libsluice-dev for those who
# build them, and sluice with the program, its manual pages, its completion and its service.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sluice)
set(CPACK_PACKAGE_VENDOR "The Sluice project")
set(CPACK_PACKAGE_CONTACT "The Sluice project <sluice@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL library development program)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION libs)
# Who depends on the shared libraries of others, dpkg-shlibdeps finds out, also of those that are built here.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS ${CMAKE_LIBRARY_OUTPUT_DIRECTORY})

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libsluice0)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION "The shared library, which the program and every domain need.")
# While the version is below 1.0 each minor version has an ABI of its own: the package has the first number in its name, so
# dependents say which one they were built with.
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY "=")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/packaging/debian/triggers)

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libsluice-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
    "Headers, components and the CMake package: what a domain, or a program with a domain linked in, is built with.")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SHLIBDEPS OFF)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libsluice0 (= ${PROJECT_VERSION}), libboost1.81-dev")
# find_package(sluice) needs the above; find_package(sluice COMPONENTS app) needs the libraries of the adapters, too.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS
    "cmake, pkg-config, libfmt-dev, libspdlog-dev, libssl-dev, prometheus-cpp-dev, libsystemd-dev, libsqlite3-dev, libpq-dev, \
libhiredis-dev, librdkafka-dev, librabbitmq-dev, libnats-dev")

set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME sluice)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION net)
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION "The program: it runs the domain of a library with its lanes and subscriptions, and has all commands for operators.
With manual pages, completion for bash, zsh and fish, and a systemd service for each context.")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_DEPENDS "libsluice0 (= ${PROJECT_VERSION}), passwd")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "postgresql, redis-server")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_CONTROL_EXTRA
    ${PROJECT_SOURCE_DIR}/packaging/debian/postinst;${PROJECT_SOURCE_DIR}/packaging/debian/prerm;${PROJECT_SOURCE_DIR}/packaging/debian/postrm
)

include(CPack)
