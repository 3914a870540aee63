# sluice_adapter(<store|broker> <name>)
#
# Adds the adapter in src/<port>/<name>, unless its switch SLUICE_<PORT>_<NAME> is off. It is a component of the name
# <port>_<name>, and its provider.hpp declares `const provider& <name>_provider()` in namespace sluice::<port>.
#
# Sets in the caller: sluice_adapters (the components of this build), and sluice_known_stores or sluice_known_brokers
# (every name, whether or not this build contains it).
function(sluice_adapter port name)
    list(APPEND sluice_known_${port}s ${name})
    set(sluice_known_${port}s ${sluice_known_${port}s} PARENT_SCOPE)
    string(TOUPPER SLUICE_${port}_${name} switch)
    if(DEFINED ${switch} AND NOT ${switch})
        return()
    endif()
    add_subdirectory(${PROJECT_SOURCE_DIR}/src/${port}/${name})
    list(APPEND sluice_adapters ${port}_${name})
    set(sluice_adapters ${sluice_adapters} PARENT_SCOPE)
endfunction()

# sluice_list_known_providers(): the names that the loader of domain.toml knows, as a source of the library.
function(sluice_list_known_providers)
    foreach(port IN ITEMS store broker)
        list(TRANSFORM sluice_known_${port}s REPLACE "(.+)" "\"\\1\"" OUTPUT_VARIABLE names)
        list(JOIN names ", " known_${port}s)
    endforeach()
    set(source ${PROJECT_BINARY_DIR}/generated/known_providers.cpp)
    configure_file(${PROJECT_SOURCE_DIR}/src/config/known_providers.cpp.in ${source} @ONLY)
    target_sources(sluice PRIVATE ${source})
endfunction()

# sluice_list_adapters(<target>): the providers of this build, as a source of the composition root.
function(sluice_list_adapters target)
    set(adapters ${sluice_adapters})
    list(SORT adapters)
    set(adapter_includes "")
    foreach(adapter IN LISTS adapters)
        string(REGEX REPLACE "^([a-z]+)_(.+)$" "\\1;\\2" parts ${adapter})
        list(GET parts 0 port)
        list(GET parts 1 name)
        string(APPEND adapter_includes "#include \"${port}/${name}/provider.hpp\"\n")
        list(APPEND ${port}_providers "&${port}::${name}_provider()")
        target_link_libraries(${target} PRIVATE sluice_${adapter})
    endforeach()
    list(JOIN store_providers ", " store_providers)
    list(JOIN broker_providers ", " broker_providers)
    set(source ${PROJECT_BINARY_DIR}/generated/adapters.cpp)
    configure_file(${PROJECT_SOURCE_DIR}/src/app/adapters.cpp.in ${source} @ONLY)
    target_sources(${target} PRIVATE ${source})
endfunction()
