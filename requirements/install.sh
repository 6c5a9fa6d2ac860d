#!/bin/sh
# install.sh run|dev: makes .venv and installs into it what requirements/run.txt or dev.txt pins, then codeloupe itself.
# Whatever goes wrong ends in one sentence that names the cause and the next step.
set -eu

pins=requirements/$1.txt
log=.venv/install.log
case ${OS:-} in Windows_NT) bin=.venv/Scripts ;; *) bin=.venv/bin ;; esac

fail() {
    printf 'Set-up stopped: %s\n' "$*" >&2
    exit 1
}

works() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

has() { "$bin/python" -c "import $1" >/dev/null 2>&1; }

find_python() {
    if [ -n "${PYTHON:-}" ]; then set -- "$PYTHON"; else set -- python3 python3.13 python3.12 python3.11 python3.14 python; fi
    for name in "$@"; do
        if works "$name"; then echo "$name" && return; fi
    done
    fail "no Python 3.11 or newer answers as ${PYTHON:-python3}; install one, or name it with PYTHON=/path/to/python3."
}

# .venv takes 0.9 GB; downloads and compiling take 0.7 GB of the temporary directory, often on the same disk.
check_space() {
    "$1" -c "import shutil, sys, tempfile; sys.exit(any(
        shutil.disk_usage(place).free < gb << 30 for place, gb in (('.', 2), (tempfile.gettempdir(), 1))))" ||
        fail "less than 2 GB are free here, or 1 GB in the temporary directory; make room, or set TMPDIR elsewhere."
}

compiles() { printf '#include <vector>\nint main() { return 0; }\n' | "$1" -x c++ -o "$2" - >/dev/null 2>&1; }

# CMake finds a compiler by itself on Windows; elsewhere it is one of these.
check_compiler() {
    [ "${OS:-}" = Windows_NT ] && return
    program=$(mktemp) || fail "nothing can be written to the temporary directory; set TMPDIR to one that can be."
    for name in ${CXX:-c++ g++ clang++}; do
        if compiles "$name" "$program"; then rm -f "$program" && return; fi
    done
    rm -f "$program"
    fail "no working C++ compiler (${CXX:-c++, g++, clang++}), and llama.cpp has to be compiled; install one" \
        "(Debian, Ubuntu: apt install g++; Fedora: dnf install gcc-c++; macOS: xcode-select --install)."
}

make_environment() {
    python=$(find_python)
    check_space "$python"
    "$python" -m venv --clear .venv >/dev/null 2>&1 ||
        fail "$python cannot make a virtual environment in $(pwd); see that the folder can be written to and that" \
            "the venv module is there (Debian, Ubuntu: apt install python3-venv)."
}

what_failed() {
    if grep -qiE 'no space left|disk quota' "$log"; then
        echo "the disk is full; make room, then run make again."
    elif grep -qE 'DO NOT MATCH THE HASHES' "$log"; then
        echo "a download is not the file that was pinned; see in $log which one, and where pip takes it from."
    elif grep -qE 'Failed building wheel for llama' "$log"; then
        echo "llama.cpp did not compile; mend what the compiler says in $log, then run make again."
    elif grep -qiE 'connection (broken|error|timed)|Max retries|timed ?out|proxy ?error|SSL ?error' "$log"; then
        echo "the package index does not answer; run make again with a network, or set pip's proxy and index."
    elif grep -qE 'No matching distribution' "$log"; then
        echo "a package ($log names it) is not made for this system or Python; docs/dependencies.md says which ones do."
    else
        echo "pip failed; mend what $log says, then run make again."
    fi
}

pip() {
    "$bin/python" -m pip install --disable-pip-version-check --no-input "$@" >>"$log" 2>&1 || fail "$(what_failed)"
}

if ! works "$bin/python" || ! has pip; then make_environment; fi
: >"$log"
if ! has llama_cpp; then
    check_compiler
    echo "Installing into .venv; llama.cpp is compiled once, which takes some minutes (pip's words: $log)."
fi
# Only what embeds is compiled, by tools that are pinned like all else: hence no build isolation.
here=$(pwd -W 2>/dev/null || pwd) # -W: as Windows writes it
export CMAKE_ARGS="-DCMAKE_PROJECT_llama_cpp_INCLUDE=\"$here/requirements/llama.cmake\" ${CMAKE_ARGS:-}"
pip --require-hashes -r requirements/build.txt
pip --require-hashes --no-build-isolation -r "$pins"
pip --no-deps --no-build-isolation --editable .
