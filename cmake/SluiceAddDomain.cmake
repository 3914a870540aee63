# sluice_add_domain(<name> SOURCES <file>... [LIBS <target>...] [OUTPUT_DIRECTORY <dir>])
#
# Builds the shared library lib<name>.so that `sluice server --domain=<name>` loads. One of the sources names the
# domain's factory with SLUICE_DOMAIN(...). Without OUTPUT_DIRECTORY the library lands where the project's other
# libraries land. Works the same inside Sluice's own tree and after find_package(sluice).
function(sluice_add_domain name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "OUTPUT_DIRECTORY" "SOURCES;LIBS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "sluice_add_domain(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}; "
                            "expected SOURCES, LIBS or OUTPUT_DIRECTORY")
    endif()
    if(NOT arg_SOURCES)
        message(FATAL_ERROR "sluice_add_domain(${name}): SOURCES is missing")
    endif()
    add_library(${name} SHARED ${arg_SOURCES})
    target_link_libraries(${name} PUBLIC sluice::sluice PRIVATE ${arg_LIBS})
    set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF)
    if(TARGET sluice_warnings) # only in Sluice's own tree
        target_link_libraries(${name} PRIVATE sluice_warnings)
    endif()
    if(arg_OUTPUT_DIRECTORY)
        set_target_properties(${name} PROPERTIES LIBRARY_OUTPUT_DIRECTORY ${arg_OUTPUT_DIRECTORY})
    endif()
endfunction()
