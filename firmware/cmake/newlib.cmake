file(GLOB gk_cxx_headers /usr/include/newlib/c++/*)
list(GET gk_cxx_headers 0 gk_cxx_headers)
set(CMAKE_CXX_FLAGS_INIT
    "-isystem ${gk_cxx_headers} -isystem ${gk_cxx_headers}/arm-none-eabi -isystem /usr/include/newlib -ffunction-sections -fdata-sections")
