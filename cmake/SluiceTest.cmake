find_package(GTest 1.12 REQUIRED)
include(GoogleTest)

# sluice_test(<name> SOURCES <file>... [LIBS <target>...] [LABELS <label>...] [TIMEOUT <seconds>] [DEFINITIONS <def>...]
#             [FIXTURES <fixture>...] [ALONE])
#
# Builds the GoogleTest binary test_<name> and registers each of its cases with ctest as `<name>.<suite>.<case>`.
# The label is `unit` unless said otherwise; the target <label>_tests builds all binaries of that label.
# FIXTURES are servers that ctest starts before and stops after (tests/support).
# ALONE is for tests that measure: nothing else runs beside them.
# A case that takes longer than TIMEOUT (30 s by default, four times that under a sanitizer) fails.
function(sluice_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "ALONE" "TIMEOUT" "SOURCES;LIBS;LABELS;DEFINITIONS;FIXTURES")
    if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
        message(FATAL_ERROR "sluice_test(${name}): SOURCES is missing, or unknown: ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT arg_LABELS)
        set(arg_LABELS unit)
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 30)
    endif()
    if(SLUICE_SANITIZE)
        math(EXPR arg_TIMEOUT "${arg_TIMEOUT} * 4")
    endif()

    add_executable(test_${name} ${arg_SOURCES})
    target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests)
    # Assertions are most of the code here: optimising it costs more time than all the runs of it together.
    target_compile_options(test_${name} PRIVATE -O0)
    target_compile_definitions(test_${name} PRIVATE ${arg_DEFINITIONS})
    target_link_libraries(test_${name} PRIVATE sluice sluice_internal fmt::fmt spdlog::spdlog Threads::Threads
                                               ${arg_LIBS} GTest::gmock_main)
    sluice_quick_test(test_${name})
    set(fixtures)
    if(arg_FIXTURES)
        set(fixtures FIXTURES_REQUIRED "${arg_FIXTURES}")
    endif()
    set(alone)
    if(arg_ALONE)
        set(alone RUN_SERIAL TRUE)
    endif()
    gtest_discover_tests(
        test_${name}
        TEST_PREFIX ${name}.
        DISCOVERY_MODE PRE_TEST
        DISCOVERY_TIMEOUT 60
        PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} ${fixtures} ${alone})

    foreach(label IN LISTS arg_LABELS)
        if(NOT TARGET ${label}_tests)
            add_custom_target(${label}_tests)
        endif()
        add_dependencies(${label}_tests test_${name})
    endforeach()
endfunction()
