// Anti-aliased lines and polygons on images of bytes.
#pragma once

#include <vector>

#include "core/tensor.h"

namespace facula {

/// Where and in what colour something is drawn. Coordinates count pixels from the image's top left corner, whose pixel
/// reaches from 0 to 1 both ways.
struct Ink {
  Tensor image;                ///< uint8 [H, W, 3], contiguous, on the CPU
  std::vector<double> colour;  ///< red, green, blue and opacity, each from 0 to 1
  std::vector<double> box;     ///< left, top, right, bottom: nothing is drawn outside
};

/// Shapes in a row: x1, y1, x2, y2, ... of `sizes[0]` points, then of `sizes[1]`, and so on. What overlaps within one call is
/// painted once.
struct Shapes {
  std::vector<double> points;
  std::vector<int64_t> sizes;
};

/// Lines through the points of each shape, with round ends and corners; a single point is a disc. Errors, here and in `fill`:
/// points that are missing, NaN or infinite; an image, colour or box that is none.
void stroke(const Ink& ink, const Shapes& lines, double width);

/// Closed polygons. Those that cross themselves are filled where they turn the way that most of their area does.
void fill(const Ink& ink, const Shapes& polygons);

}  // namespace facula
