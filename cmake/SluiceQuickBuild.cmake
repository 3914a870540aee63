# With SLUICE_QUICK_BUILD the headers that most sources include are parsed once, and sources of the library are compiled
# several at a time: a third of the time for code that is not optimised. A missing include goes unnoticed, so it is for
# builds that repeat another one: the sanitizers'.

option(SLUICE_QUICK_BUILD "Precompile common headers and compile several sources at a time" OFF)

set(sluice_common_headers
    <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <filesystem> <functional> <map> <memory>
    <mutex> <optional> <set> <span> <string> <string_view> <thread> <utility> <variant> <vector> <fmt/format.h>
    <sluice/sluice.hpp>)

# A target that others take precompiled headers from: one of their own kind, as code for a library and for a program is
# generated differently.
function(sluice_precompile owner)
    target_include_directories(${owner} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(${owner} PRIVATE Boost::headers fmt::fmt spdlog::spdlog Threads::Threads)
    target_precompile_headers(${owner} PRIVATE ${sluice_common_headers} ${ARGN})
endfunction()

if(SLUICE_QUICK_BUILD)
    set(sluice_empty_source ${PROJECT_BINARY_DIR}/empty.cpp)
    file(CONFIGURE OUTPUT ${sluice_empty_source} CONTENT "")
    add_library(sluice_precompiled OBJECT ${sluice_empty_source})
    sluice_precompile(sluice_precompiled)
    if(SLUICE_BUILD_TESTS)
        add_executable(sluice_precompiled_for_tests ${sluice_empty_source})
        target_link_libraries(sluice_precompiled_for_tests PRIVATE GTest::gmock_main)
        sluice_precompile(sluice_precompiled_for_tests <gmock/gmock.h> <gtest/gtest.h>)
    endif()
endif()

# sluice_quick_library(<target>): a library that links fmt and spdlog.
function(sluice_quick_library target)
    if(SLUICE_QUICK_BUILD)
        target_precompile_headers(${target} REUSE_FROM sluice_precompiled)
        set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
    endif()
endfunction()

# sluice_quick_test(<target>): a GoogleTest program, source by source: many give a fixture the same name.
function(sluice_quick_test target)
    if(SLUICE_QUICK_BUILD)
        target_precompile_headers(${target} REUSE_FROM sluice_precompiled_for_tests)
    endif()
endfunction()
