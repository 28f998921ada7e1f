// The serial console: who holds the cable may set what is stored (gk/console.hpp).
#pragma once
#include "gk/board/store.hpp"
#include "gk/console.hpp"

namespace gk::board {

class Console {
 public:
  explicit Console(const Store& store) noexcept : store_(store) {}

  // From loop(): reads what has come, and no more than that.
  void tick() noexcept;

 private:
  void obey(const ConsoleCommand& command) noexcept;
  void show() noexcept;

  const Store& store_;
  ConsoleLine line_;
};

}  // namespace gk::board
