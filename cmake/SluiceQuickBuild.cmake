# With SLUICE_QUICK_BUILD the headers that most sources include are parsed once, and sources of the library are compiled
# several at a time: a third of the time for code that is not optimised. A missing include goes unnoticed, so it is for
# builds that repeat another one: the sanitizers'.

option(SLUICE_QUICK_BUILD "Precompile common headers and compile several sources at a time" OFF)

set(sluice_common_headers
    <algorithm> <array> <atomic> <chrono> <condition_variable> <cstdint> <filesystem> <functional> <map> <memory>
    <mutex> <optional> <set> <span> <string> <string_view> <thread> <utility> <variant> <vector> <fmt/format.h>
    <sluice/sluice.hpp>)

# A target whose precompiled headers others use.
function(sluice_precompile target)
    target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include)
    target_link_libraries(${target} PRIVATE Boost::headers fmt::fmt spdlog::spdlog Threads::Threads)
    target_precompile_headers(${target} PRIVATE ${ARGN})
endfunction()

# sluice_quick_library(<target>): a library that links fmt and spdlog.
function(sluice_quick_library target)
    if(NOT SLUICE_QUICK_BUILD)
        return()
    endif()
    if(NOT TARGET sluice_precompiled)
        file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/sluice_precompiled.cpp CONTENT "")
        add_library(sluice_precompiled OBJECT ${PROJECT_BINARY_DIR}/sluice_precompiled.cpp)
        sluice_precompile(sluice_precompiled ${sluice_common_headers})
    endif()
    target_precompile_headers(${target} REUSE_FROM sluice_precompiled)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 10)
endfunction()

# sluice_quick_test(<target>): the same for a GoogleTest program, source by source: many give a fixture the same name.
function(sluice_quick_test target)
    if(NOT SLUICE_QUICK_BUILD)
        return()
    endif()
    if(NOT TARGET sluice_precompiled_for_tests)
        file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/sluice_precompiled_for_tests.cpp CONTENT "")
        # A program like its users: code for a library is generated differently.
        add_executable(sluice_precompiled_for_tests ${PROJECT_BINARY_DIR}/sluice_precompiled_for_tests.cpp)
        target_link_libraries(sluice_precompiled_for_tests PRIVATE GTest::gmock_main)
        sluice_precompile(sluice_precompiled_for_tests ${sluice_common_headers} <gmock/gmock.h> <gtest/gtest.h>)
    endif()
    target_precompile_headers(${target} REUSE_FROM sluice_precompiled_for_tests)
endfunction()
