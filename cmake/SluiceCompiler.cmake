# How the targets of this tree are compiled and linked. An installed Sluice carries none of it to its users.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

# g++ 12 sees overlapping copies in `"text" + std::string` where there are none (GCC bug 105651).
add_library(sluice_warnings INTERFACE)
target_compile_options(
    sluice_warnings
    INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion $<$<BOOL:${SLUICE_WERROR}>:-Werror>
              $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>>:-Wno-restrict>)

# For our own targets only: the way to the internal headers ("room/file.hpp").
add_library(sluice_internal INTERFACE)
target_include_directories(sluice_internal INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(sluice_internal INTERFACE sluice_warnings)

# Sanitizers go to every target, domains included: those are loaded into the same process.
# Instrumentation hides from g++ what has been initialised (GCC's documentation of -fsanitize); the plain build warns.
if(SLUICE_SANITIZE)
    list(JOIN SLUICE_SANITIZE "," sanitizers)
    add_compile_options(-fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    add_link_options(-fsanitize=${sanitizers})
    target_compile_options(sluice_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
endif()

# With fuzz targets everything tells libFuzzer which ways the input takes.
if(SLUICE_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# What follows is the choice of whoever builds; as a subproject Sluice leaves it to the project around it.
if(NOT PROJECT_IS_TOP_LEVEL)
    return()
endif()

set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Debug, Release, RelWithDebInfo or MinSizeRel" FORCE)
endif()

find_program(SLUICE_CCACHE ccache)
if(SLUICE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${SLUICE_CCACHE})
endif()

include(CheckLinkerFlag)
foreach(linker IN ITEMS mold lld gold)
    check_linker_flag(CXX -fuse-ld=${linker} SLUICE_LINKS_WITH_${linker})
    if(SLUICE_LINKS_WITH_${linker})
        add_link_options(-fuse-ld=${linker})
        break()
    endif()
endforeach()
