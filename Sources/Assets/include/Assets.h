// The files that the pages are made of, as bytes in the program's read-only data: nothing is installed beside it, nothing is copied at
// the start. They are made by C23's `#embed` (C23, section 6.10.4), which costs a build tenths of a second where a Swift literal costs seconds.
#pragma once
#include <stddef.h>
#include <stdint.h>

// One file.
struct footfall_asset {
  const char *name;      // without its folder: dashboard.html
  const uint8_t *bytes;  // lives as long as the program
  size_t count;
};

// All of them, `footfall_asset_count` in number.
extern const struct footfall_asset *const footfall_assets;
extern const size_t footfall_asset_count;
