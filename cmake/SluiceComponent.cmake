# sluice_component(<name> SOURCES <file>... [LIBS <target>...])
#
# Declares one part that can be switched off: an adapter, the commands, the composition root. It becomes the static
# library `sluice_<name>`, known to others as `sluice::<name>` and as the package component `<name>`.
# LIBS are private to it.
function(sluice_component name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LIBS")
    if(arg_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "sluice_component(${name}): unknown arguments ${arg_UNPARSED_ARGUMENTS}")
    endif()
    add_library(sluice_${name} STATIC ${arg_SOURCES})
    add_library(sluice::${name} ALIAS sluice_${name})
    set_target_properties(sluice_${name} PROPERTIES EXPORT_NAME ${name})
    target_link_libraries(sluice_${name} PUBLIC sluice PRIVATE $<BUILD_INTERFACE:sluice_internal> fmt::fmt
                                                               spdlog::spdlog ${arg_LIBS})
    sluice_quick_library(sluice_${name})
    set_property(GLOBAL APPEND PROPERTY SLUICE_COMPONENTS ${name})
endfunction()
