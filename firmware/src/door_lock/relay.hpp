// The relay's GPIO. It may be written from any task.
#pragma once

namespace gk::relay {

// The first thing that setup() does: at rest before the pin drives anything.
void begin() noexcept;

void set(bool energised) noexcept;

// For the guard's timer.
void drop() noexcept;

}  // namespace gk::relay
