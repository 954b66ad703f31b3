// Lines take the largest coverage that any of their segments gives a pixel: dense points make a line no darker, which adding
// up would. Polygons add up signed areas along rows (Levien 2016, "Inside the fastest font renderer in the world").
#include "core/raster.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "core/error.h"
#include "core/parallel.h"

namespace facula {
namespace {

struct Point {
  double x, y;
};

void look_for_interrupts() {
  if (interrupt_requested()) throw Interrupted();
}

/// How much of each pixel is painted, over the box of an ink, with one column more, where areas run out.
class Coverage {
 public:
  Coverage(const Ink& ink, const char* operation) {
    const Tensor& image = ink.image;
    check(image.dim() == 3 && image.size(2) == 3 && image.dtype() == DType::UInt8 && image.is_contiguous() &&
              image.is_cpu(),
          operation, ": the image is contiguous, uint8 and [H, W, 3], got ", image.dtype(), ' ', image.sizes());
    check(ink.colour.size() == 4 && ink.box.size() == 4, operation, ": a colour and a box are four numbers");
    for (const double v : ink.colour) check(v >= 0 && v <= 1, operation, ": colours are from 0 to 1, got ", v);
    for (const double v : ink.box) check(std::isfinite(v), operation, ": the box is not finite");
    left_ = clamped(std::floor(ink.box[0]), image.size(1));
    top_ = clamped(std::floor(ink.box[1]), image.size(0));
    width_ = std::max<int64_t>(clamped(std::ceil(ink.box[2]), image.size(1)) - left_, 0);
    height_ = std::max<int64_t>(clamped(std::ceil(ink.box[3]), image.size(0)) - top_, 0);
    cells_.assign(static_cast<size_t>((width_ + 1) * height_), 0.F);
  }

  bool empty() const { return width_ == 0 || height_ == 0; }
  int64_t width() const { return width_; }
  int64_t height() const { return height_; }
  float* row(int64_t y) { return cells_.data() + y * (width_ + 1); }
  /// From the image's coordinates to the box's.
  Point local(double x, double y) const { return {x - static_cast<double>(left_), y - static_cast<double>(top_)}; }

  void paint(const Ink& ink) {
    auto* bytes = reinterpret_cast<uint8_t*>(ink.image.bytes());
    for (int64_t y = 0; y < height_; ++y) {
      uint8_t* pixel = bytes + ((top_ + y) * ink.image.size(1) + left_) * 3;
      for (int64_t x = 0; x < width_; ++x, pixel += 3) {
        const double a = row(y)[x] * ink.colour[3];
        if (a <= 0) continue;
        for (int c = 0; c < 3; ++c)
          pixel[c] =
              static_cast<uint8_t>(std::lround(pixel[c] * (1 - a) + 255 * ink.colour[static_cast<size_t>(c)] * a));
      }
    }
  }

 private:
  static int64_t clamped(double v, int64_t most) {
    return static_cast<int64_t>(std::clamp(v, 0.0, static_cast<double>(most)));
  }

  int64_t left_, top_, width_, height_;
  std::vector<float> cells_;
};

void check_shapes(const Shapes& shapes, const char* operation) {
  int64_t points = 0;
  for (const int64_t n : shapes.sizes) {
    check(n >= 0 && n <= static_cast<int64_t>(shapes.points.size()), operation, ": a shape has ", n, " points");
    points += n;
  }
  check(2 * points == static_cast<int64_t>(shapes.points.size()), operation, ": the shapes have ", points,
        " points, and there are ", shapes.points.size(), " coordinates");
  for (const double v : shapes.points)
    check(std::abs(v) <= 1e9, operation, ": a coordinate is ", v, ", not within a billion pixels");
}

/// Calls `draw` with the points of each shape, in the box's coordinates.
template <class Draw>
void each_shape(const Coverage& area, const Shapes& shapes, Draw draw) {
  std::vector<Point> points;
  const double* at = shapes.points.data();
  for (const int64_t n : shapes.sizes) {
    points.clear();
    for (int64_t i = 0; i < n; ++i, at += 2) points.push_back(area.local(at[0], at[1]));
    draw(points);
  }
}

// ---- lines -----------------------------------------------------------------------------------------------------------------

// The segment from `a` to `b`, as wide as two times `radius`, with round ends.
void add_segment(Coverage& area, Point a, Point b, double radius) {
  look_for_interrupts();
  const double dx = b.x - a.x, dy = b.y - a.y, square = dx * dx + dy * dy;
  const double reach = radius + 1, strength = std::min(1.0, 2 * radius);
  const double slant = dy == 0 ? 0 : reach * std::sqrt(square) / std::abs(dy);  // half the width along a row
  const auto first = static_cast<int64_t>(std::max(0.0, std::floor(std::min(a.y, b.y) - reach)));
  const auto last =
      static_cast<int64_t>(std::min<double>(static_cast<double>(area.height()), std::ceil(std::max(a.y, b.y) + reach)));
  for (int64_t y = first; y < last; ++y) {
    const double py = static_cast<double>(y) + 0.5;
    double from = std::min(a.x, b.x) - reach, to = std::max(a.x, b.x) + reach;
    if (slant > 0) {
      const double x = a.x + (py - a.y) * dx / dy;
      from = std::max(from, x - slant - reach);
      to = std::min(to, x + slant + reach);
    }
    float* const row = area.row(y);
    const auto end = static_cast<int64_t>(std::min(static_cast<double>(area.width()), std::ceil(to)));
    for (auto x = static_cast<int64_t>(std::max(0.0, std::floor(from))); x < end; ++x) {
      const double px = static_cast<double>(x) + 0.5;
      const double t = square > 0 ? std::clamp(((px - a.x) * dx + (py - a.y) * dy) / square, 0.0, 1.0) : 0;
      const double distance = std::hypot(px - a.x - t * dx, py - a.y - t * dy);
      const auto covered = static_cast<float>(strength * std::clamp(radius + 0.5 - distance, 0.0, 1.0));
      row[x] = std::max(row[x], covered);
    }
  }
}

// ---- polygons --------------------------------------------------------------------------------------------------------------

// The part of the polygon where `coordinate` * sign <= `most` * sign (Sutherland and Hodgman 1974).
std::vector<Point> cut(const std::vector<Point>& polygon, double Point::*coordinate, double most, double sign) {
  std::vector<Point> kept;
  for (size_t i = 0; i < polygon.size(); ++i) {
    const Point a = polygon[i], b = polygon[(i + 1) % polygon.size()];
    const double da = (a.*coordinate - most) * sign, db = (b.*coordinate - most) * sign;
    if (da <= 0) kept.push_back(a);
    if ((da < 0 && db > 0) || (da > 0 && db < 0)) {
      const double t = da / (da - db);
      Point crossing{a.x + t * (b.x - a.x), a.y + t * (b.y - a.y)};
      crossing.*coordinate = most;
      kept.push_back(crossing);
    }
  }
  return kept;
}

double twice_area(const std::vector<Point>& polygon) {
  double sum = 0;
  for (size_t i = 0; i < polygon.size(); ++i) {
    const Point a = polygon[i], b = polygon[(i + 1) % polygon.size()];
    sum += a.x * b.y - b.x * a.y;
  }
  return sum;
}

// The area between an edge and the right end of each row that it crosses, as differences along the row.
void add_edge(Coverage& area, Point a, Point b, double sign) {
  if (a.y == b.y) return;
  if (a.y > b.y) {
    std::swap(a, b);
    sign = -sign;
  }
  const double slope = (b.x - a.x) / (b.y - a.y);
  const auto last = std::min(area.height(), static_cast<int64_t>(std::ceil(b.y)));
  double x = a.x;
  for (auto y = static_cast<int64_t>(a.y); y < last; ++y) {
    float* const row = area.row(y);
    const double height = std::min(static_cast<double>(y) + 1, b.y) - std::max(static_cast<double>(y), a.y);
    const double next = x + slope * height;
    const double from = std::min(x, next), to = std::max(x, next), d = sign * height;
    const auto column = static_cast<int64_t>(from), end = static_cast<int64_t>(std::ceil(to));
    double before = 0;  // share of the edge's height that lies left of the cells so far, by area
    for (int64_t c = column; c <= std::min(std::max(end, column), area.width()); ++c) {
      // Of cell c, the share that lies right of the edge: the mean over x in [from, to] of the clamped distance.
      const double l = static_cast<double>(c) - from, r = static_cast<double>(c) + 1 - from, span = to - from;
      double covered = 0;
      if (span < 1e-12) {
        covered = std::clamp(r, 0.0, 1.0);
      } else {
        const double u = std::clamp(l, 0.0, span), v = std::clamp(r, 0.0, span);
        covered = (u + (v - u) * (r - (u + v) / 2)) / span;
      }
      row[c] += static_cast<float>(d * (covered - before));
      before = covered;
      if (covered >= 1) break;
    }
    x = next;
  }
}

void add_polygon(Coverage& area, std::vector<Point> polygon) {
  look_for_interrupts();
  polygon = cut(polygon, &Point::x, 0, -1);
  polygon = cut(polygon, &Point::x, static_cast<double>(area.width()), 1);
  polygon = cut(polygon, &Point::y, 0, -1);
  polygon = cut(polygon, &Point::y, static_cast<double>(area.height()), 1);
  const double sign = twice_area(polygon) < 0 ? 1 : -1;
  for (size_t i = 0; i < polygon.size(); ++i) add_edge(area, polygon[i], polygon[(i + 1) % polygon.size()], sign);
}

}  // namespace

void stroke(const Ink& ink, const Shapes& lines, double width) {
  Coverage area(ink, "stroke");
  check_shapes(lines, "stroke");
  check(width >= 0 && width <= 1e4, "stroke: a line is from 0 to 10000 pixels wide, got ", width);
  if (area.empty()) return;
  each_shape(area, lines, [&](const std::vector<Point>& points) {
    for (size_t i = 0; i + 1 < points.size(); ++i) add_segment(area, points[i], points[i + 1], width / 2);
    if (points.size() == 1) add_segment(area, points[0], points[0], width / 2);
  });
  area.paint(ink);
}

void fill(const Ink& ink, const Shapes& polygons) {
  Coverage area(ink, "fill");
  check_shapes(polygons, "fill");
  if (area.empty()) return;
  each_shape(area, polygons, [&](const std::vector<Point>& points) { add_polygon(area, points); });
  for (int64_t y = 0; y < area.height(); ++y) {
    float sum = 0, *const row = area.row(y);
    for (int64_t x = 0; x < area.width(); ++x) {
      sum += row[x];
      row[x] = sum < 1e-4F ? 0 : std::min(sum, 1.F);
    }
  }
  area.paint(ink);
}

}  // namespace facula
