# Three ways to build in less time. All hide a missing include, so a build that proves the includes has them off.
#
# SLUICE_PRECOMPILE: the headers that most tests include are parsed once. Not those of the library: when g++ optimises, it
# warns of what it finds in a precompiled header of the system.
# SLUICE_JOIN_SOURCES: sources are compiled several at a time, those of the library and those of the tests. An editor then
# finds no commands for single sources, and a change compiles its neighbours, too.
# SLUICE_QUICK_BUILD: both, and the headers of the library are precompiled, too.

option(SLUICE_QUICK_BUILD "Precompile common headers and compile several sources at a time" OFF)
option(SLUICE_JOIN_SOURCES "Compile several sources at a time" ${SLUICE_QUICK_BUILD})
option(SLUICE_PRECOMPILE "Precompile common headers of the tests" ${SLUICE_QUICK_BUILD})

set(sluice_common_headers
    <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <filesystem> <functional> <map> <memory>
    <mutex> <optional> <set> <span> <string> <string_view> <thread> <utility> <variant> <vector> <fmt/format.h>
    <sluice/sluice.hpp>)

# A target that others take precompiled headers from: one of their own kind, as code for a library and for a program is
# generated differently.
function(sluice_precompile owner)
    target_include_directories(${owner} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(${owner} PRIVATE Boost::headers fmt::fmt spdlog::spdlog Threads::Threads
                                           sluice_warnings) # -Wpedantic defines a macro
    target_precompile_headers(${owner} PRIVATE ${sluice_common_headers} ${ARGN})
endfunction()

# g++ warns in one source of what another declares, and takes a source that is included for a header.
if(SLUICE_QUICK_BUILD OR SLUICE_JOIN_SOURCES)
    target_compile_options(sluice_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-shadow -Wno-subobject-linkage>)
endif()

if(SLUICE_QUICK_BUILD OR SLUICE_PRECOMPILE)
    set(sluice_empty_source ${PROJECT_BINARY_DIR}/empty.cpp)
    file(CONFIGURE OUTPUT ${sluice_empty_source} CONTENT "")
    if(SLUICE_QUICK_BUILD)
        add_library(sluice_precompiled OBJECT ${sluice_empty_source})
        sluice_precompile(sluice_precompiled)
    endif()
    if(SLUICE_BUILD_TESTS)
        add_executable(sluice_precompiled_for_tests ${sluice_empty_source})
        target_compile_options(sluice_precompiled_for_tests PRIVATE -O0) # as the tests: g++ takes no others
        target_link_libraries(sluice_precompiled_for_tests PRIVATE GTest::gmock_main)
        sluice_precompile(sluice_precompiled_for_tests <gmock/gmock.h> <gtest/gtest.h>)
    endif()
endif()

# sluice_quick_library(<target>): a library that links fmt and spdlog.
function(sluice_quick_library target)
    if(SLUICE_QUICK_BUILD)
        target_precompile_headers(${target} REUSE_FROM sluice_precompiled)
    endif()
    if(SLUICE_QUICK_BUILD OR SLUICE_JOIN_SOURCES)
        set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
    endif()
endfunction()

# sluice_quick_test(<target> [<source>...]): a GoogleTest program. The sources that are named are compiled one by one.
function(sluice_quick_test target)
    if(SLUICE_QUICK_BUILD OR SLUICE_PRECOMPILE)
        target_precompile_headers(${target} REUSE_FROM sluice_precompiled_for_tests)
    endif()
    if(SLUICE_QUICK_BUILD OR SLUICE_JOIN_SOURCES)
        set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
        set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
    endif()
endfunction()
