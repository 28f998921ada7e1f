# RV32IMC, the instruction set of the ESP32-C3, by Debian's compiler for bare RISC-V.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR riscv32)
set(CMAKE_CXX_COMPILER riscv64-unknown-elf-g++)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
include(${CMAKE_CURRENT_LIST_DIR}/newlib.cmake)
string(APPEND CMAKE_CXX_FLAGS_INIT " -march=rv32imc -mabi=ilp32")
