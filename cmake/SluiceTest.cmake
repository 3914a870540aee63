find_package(GTest 1.12 REQUIRED)
include(GoogleTest)

# sluice_test(<name> SOURCES <file>... [LIBS <target>...] [LABELS <label>...] [TIMEOUT <seconds>] [DEFINITIONS <def>...]
#             [FIXTURES <fixture>...] [LOCK <resource>] [APART <file>...] [ALONE] [THREADS])
#
# Builds the GoogleTest binary test_<name> and registers each of its cases with ctest as `<name>.<suite>.<case>`, under a
# sanitizer in parts (`<name>.part_0`).
# The label is `unit` unless said otherwise; the target <label>_tests builds all binaries of that label. With
# SLUICE_UNIT_TESTS off there are none of the labels `unit` and `contract`.
# FIXTURES are servers that ctest starts before and stops after (tests/support).
# LOCK is a server that no two tests use at once, since some of them freeze or stop it.
# APART are sources that cannot be compiled together with their neighbours: both give a name two meanings.
# ALONE is for tests that measure: nothing else runs beside them.
# THREADS is for units that begin threads: ThreadSanitizer looks at them, and not at the label `unit` without it.
# A case that takes longer than TIMEOUT (180 s by default, four times that under a sanitizer) hangs, and fails: what a test
# waits for itself (tests/support/eventually.hpp) is over long before.
function(sluice_test name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "ALONE;THREADS" "TIMEOUT;LOCK" "SOURCES;LIBS;LABELS;DEFINITIONS;FIXTURES;APART")
    if(arg_UNPARSED_ARGUMENTS OR NOT arg_SOURCES)
        message(FATAL_ERROR "sluice_test(${name}): SOURCES is missing, or unknown: ${arg_UNPARSED_ARGUMENTS}")
    endif()
    if(NOT arg_LABELS)
        set(arg_LABELS unit)
        if(SLUICE_SANITIZE MATCHES "thread" AND NOT arg_THREADS)
            set(arg_LABELS unit_without_threads)
        endif()
        sluice_require_threads_named(${name} "${arg_THREADS}" ${arg_SOURCES})
    endif()
    if(NOT SLUICE_UNIT_TESTS AND arg_LABELS MATCHES "^(unit|contract)$")
        return()
    endif()
    if(NOT arg_TIMEOUT)
        set(arg_TIMEOUT 180)
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
    sluice_quick_test(test_${name} ${arg_APART})
    # Discovered tests take one fixture, so several are joined: what begins and ends the joint one needs them all.
    list(LENGTH arg_FIXTURES count)
    if(count GREATER 1)
        foreach(step IN ITEMS SETUP CLEANUP)
            add_test(NAME ${name}.fixtures.${step} COMMAND ${CMAKE_COMMAND} -E true)
            set_tests_properties(${name}.fixtures.${step} PROPERTIES FIXTURES_${step} ${name}_fixtures
                                                                     FIXTURES_REQUIRED "${arg_FIXTURES}" LABELS servers)
        endforeach()
        set(arg_FIXTURES ${name}_fixtures)
    endif()
    set(fixtures)
    if(arg_FIXTURES)
        set(fixtures FIXTURES_REQUIRED ${arg_FIXTURES})
    endif()
    set(alone)
    if(arg_LOCK)
        set(alone RESOURCE_LOCK ${arg_LOCK})
    endif()
    if(arg_ALONE)
        set(alone RUN_SERIAL TRUE)
    endif()
    if(SLUICE_SANITIZE)
        sluice_add_test_in_parts(${name} LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} ${fixtures} ${alone})
    else()
        gtest_discover_tests(
            test_${name}
            TEST_PREFIX ${name}.
            DISCOVERY_MODE PRE_TEST
            DISCOVERY_TIMEOUT 60
            PROPERTIES LABELS "${arg_LABELS}" TIMEOUT ${arg_TIMEOUT} ${fixtures} ${alone})
    endif()

    foreach(label IN LISTS arg_LABELS)
        if(NOT TARGET ${label}_tests)
            add_custom_target(${label}_tests)
        endif()
        add_dependencies(${label}_tests test_${name})
    endforeach()
endfunction()

# A sanitizer takes longer to begin than most cases take to run, so a process runs many of them: the cases are dealt out to
# some parts, which run side by side.
function(sluice_add_test_in_parts name)
    set(parts 4)
    math(EXPR last "${parts} - 1")
    foreach(part RANGE ${last})
        add_test(NAME ${name}.part_${part} COMMAND test_${name})
        set_tests_properties(
            ${name}.part_${part} PROPERTIES ${ARGN} ENVIRONMENT "GTEST_TOTAL_SHARDS=${parts};GTEST_SHARD_INDEX=${part}")
    endforeach()
endfunction()

# A test that begins threads says so, or ThreadSanitizer would miss it.
function(sluice_require_threads_named name says_so)
    foreach(source IN LISTS ARGN)
        file(STRINGS ${source} begins_threads REGEX "std::(jthread|thread|async)[ <({]" LIMIT_COUNT 1)
        if(begins_threads AND NOT says_so)
            message(FATAL_ERROR "sluice_test(${name}): ${source} begins threads, and THREADS is missing")
        endif()
    endforeach()
endfunction()

# sluice_python_environment(<name> <requirement> <check> <variable>)
#
# Software of others that judges ours: a Python virtual environment with what pip finds for <requirement>, made once per
# build. Tests name the fixture `python_<name>`. <check> is Python that fails unless the right thing is installed.
# Sets <variable> to its directory; where it has a file `unavailable`, tests skip with the reason in it.
function(sluice_python_environment name requirement check variable)
    set(directory ${PROJECT_BINARY_DIR}/python/${name})
    add_test(NAME python.${name} COMMAND ${PROJECT_SOURCE_DIR}/tests/support/python_environment.sh ${directory}
                                         "${requirement}" "${check}")
    set_tests_properties(python.${name} PROPERTIES FIXTURES_SETUP python_${name} LABELS integration TIMEOUT 300)
    set(${variable} ${directory} PARENT_SCOPE)
endfunction()

# sluice_go_program(<name> <source> <variable>)
#
# The same for a program in Go: built from the folder <source>, once per build. Tests name the fixture `go_<name>`. Sets
# <variable> to the directory of `program`, or of a file `unavailable`.
function(sluice_go_program name source variable)
    set(directory ${PROJECT_BINARY_DIR}/go/${name})
    add_test(NAME go.${name} COMMAND ${PROJECT_SOURCE_DIR}/tests/support/go_program.sh ${directory} ${source})
    set_tests_properties(go.${name} PROPERTIES FIXTURES_SETUP go_${name} LABELS integration TIMEOUT 600)
    set(${variable} ${directory} PARENT_SCOPE)
endfunction()
