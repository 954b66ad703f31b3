#include "core/schema.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <ostream>

namespace facula {
namespace {

constexpr std::pair<std::string_view, Type> kTypes[] = {{"Tensor", Type::Tensor},   {"IndexTensor", Type::IndexTensor},
                                                        {"Operand", Type::Operand}, {"Scalar", Type::Scalar},
                                                        {"int", Type::Int},         {"float", Type::Float},
                                                        {"bool", Type::Bool},       {"str", Type::String},
                                                        {"Dim", Type::Dim},         {"NewDim", Type::NewDim},
                                                        {"Index", Type::Index},     {"DType", Type::DType},
                                                        {"Device", Type::Device},   {"Generator", Type::Generator},
                                                        {"any", Type::Any}};

std::string_view type_name(Type t) {
  return std::find_if(std::begin(kTypes), std::end(kTypes), [&](auto& entry) { return entry.second == t; })->first;
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Schema parse() {
    Schema s;
    s.text = text_;
    s.name = word(true);
    if (take(":")) s.overload = word();
    expect("(");
    bool named_only = false;
    while (!take(")")) {
      if (take("*")) {
        named_only = true;
      } else {
        s.parameters.push_back(parameter());
        s.parameters.back().named_only = named_only;
      }
      if (!peek(")")) expect(",");
    }
    if (take("->")) results(s);
    space();
    if (at_ != text_.size()) wrong("the end");
    return s;
  }

 private:
  void space() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool peek(std::string_view token) {
    space();
    return text_.substr(at_).starts_with(token);
  }
  bool take(std::string_view token) {
    if (!peek(token)) return false;
    at_ += token.size();
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) wrong(token);
  }
  [[noreturn]] void wrong(std::string_view expected) {
    fail("signature '", text_, "': expected ", expected, " at '", text_.substr(at_), "'");
  }
  std::string word(bool dotted = false) {
    space();
    const size_t begin = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_' || (dotted && text_[at_] == '.')))
      ++at_;
    if (begin == at_) wrong("a name");
    return std::string(text_.substr(begin, at_ - begin));
  }

  Type type() {
    const std::string name = word();
    for (const auto& [known, t] : kTypes)
      if (known == name) return t;
    fail("signature '", text_, "': unknown type '", name, "'");
  }

  Parameter parameter() {
    Parameter p;
    p.type = type();
    if (peek("?[")) p.optional_items = take("?");
    if (take("[")) {
      p.list = true;
      if (!peek("]")) p.fixed = static_cast<int>(number().to<int64_t>());
      expect("]");
      p.varargs = take("...");
      if (take("[")) {
        p.lists = static_cast<int>(number().to<int64_t>());
        expect("]");
      }
    }
    if (take("?")) p.optional = true;
    p.name = word();
    if (take("=")) {
      p.required = false;
      p.fallback = literal(p);
    }
    return p;
  }

  Scalar number() {
    space();
    const char* begin = text_.data() + at_;
    const char* end = text_.data() + text_.size();
    const size_t length = text_.substr(at_).find_first_of(",)] ");
    if (length != std::string_view::npos) end = begin + length;
    int64_t i;
    if (auto [stop, error] = std::from_chars(begin, end, i); error == std::errc() && stop == end) {
      at_ += static_cast<size_t>(stop - begin);
      return i;
    }
    double d;
    auto [stop, error] = std::from_chars(begin, end, d);
    if (error != std::errc() || stop != end) wrong("a number");
    at_ += static_cast<size_t>(stop - begin);
    return d;
  }

  Value literal(const Parameter& p) {
    if (take("None")) return {};
    if (take("True")) return true;
    if (take("False")) return false;
    if (take("'")) {
      const size_t end = text_.find('\'', at_);
      if (end == std::string_view::npos) wrong("'");
      std::string s(text_.substr(at_, end - at_));
      at_ = end + 1;
      return s;
    }
    std::vector<Scalar> items;
    if (take("[")) {
      while (!take("]")) {
        items.push_back(number());
        if (!peek("]")) expect(",");
      }
      return list(p, items);
    }
    items.assign(static_cast<size_t>(std::max(p.fixed, 1)), number());
    return p.list ? list(p, items) : Value(items[0]);
  }

  static Value list(const Parameter& p, const std::vector<Scalar>& items) {
    std::vector<double> floats;
    IntList integers;
    for (const Scalar& n : items) {
      if (p.type == Type::Float)
        floats.push_back(n.to<double>());
      else
        integers.push_back(n.to<int64_t>());
    }
    return p.type == Type::Float ? Value(std::move(floats)) : Value(std::move(integers));
  }

  void results(Schema& s) {
    if (take("(")) {
      while (!take(")")) {
        s.results.push_back(result());
        s.results.back().name = word();
        if (!peek(")")) expect(",");
      }
    } else {
      s.results.push_back(result());
    }
  }
  ResultType result() {
    ResultType r;
    r.type = type();
    if (take("[")) {
      expect("]");
      r.list = true;
    }
    return r;
  }

  std::string_view text_;
  size_t at_ = 0;
};

bool accepts_item(Type type, const Value& v) {
  switch (type) {
    case Type::Tensor:
    case Type::IndexTensor:
    case Type::Operand: return v.is<Tensor>();
    case Type::Scalar: return v.is<Scalar>();
    case Type::Float: return v.is<Scalar>() && !v.get<Scalar>().is_complex();
    case Type::Bool: return v.is<Scalar>() && v.get<Scalar>().kind() == Category::Bool;
    case Type::Int:
    case Type::Dim:
    case Type::NewDim:
    case Type::Index: return v.is<Scalar>() && v.get<Scalar>().is_integral(false);
    case Type::String: return v.is<std::string>();
    case Type::DType: return v.is<DType>();
    case Type::Device: return v.is<Device>();
    case Type::Generator: return v.is<Ref<Generator>>();
    case Type::Any: return true;
  }
  __builtin_unreachable();
}

}  // namespace

std::string Parameter::type_text() const {
  std::string s(type_name(type));
  if (optional_items) s += '?';
  if (list) s += fixed ? text('[', fixed, ']') : "[]";
  if (varargs) s += "...";
  if (lists) s += text('[', lists, ']');
  if (optional) s += '?';
  return s;
}

int Schema::find(std::string_view parameter) const {
  for (size_t i = 0; i < parameters.size(); ++i)
    if (parameters[i].name == parameter) return static_cast<int>(i);
  return -1;
}

std::string_view Schema::short_name() const {
  const size_t dot = name.rfind('.');
  return std::string_view(name).substr(dot == std::string::npos ? 0 : dot + 1);
}

Schema parse_schema(std::string_view text) { return Parser(text).parse(); }

bool accepts(const Parameter& p, const Value& v) {
  if (v.is_none()) return p.optional || !p.required;
  if (!p.list) return accepts_item(p.type, v);
  if (p.is_tensor()) {
    if (!v.is<Tensors>()) return false;
    const Tensors& list = v.get<Tensors>();
    return p.optional_items || std::all_of(list.begin(), list.end(), [](const Tensor& t) { return t.defined(); });
  }
  if (p.type == Type::Float) return v.is<std::vector<double>>() || v.is<IntList>() || accepts_item(Type::Float, v);
  if (p.lists) return v.is<IntList>() && v.get<IntList>().size() % static_cast<size_t>(p.lists) == 0;
  if (v.is<IntList>())
    return !p.fixed || v.get<IntList>().size() == static_cast<size_t>(p.fixed) || v.get<IntList>().size() == 1 ||
           (p.optional && v.get<IntList>().empty());
  return accepts_item(p.type, v);
}

void conform(const Schema& schema, const Parameter& p, Value& v) {
  if (!accepts(p, v)) {
    if (v.is_none()) fail(schema.name, ": argument '", p.name, "' is missing\n  expected ", schema.text);
    fail(schema.name, ": argument '", p.name, "' must be ", p.type_text(), ", got ", v, "\n  expected ", schema.text);
  }
  if (!p.list || v.is_none() || p.is_tensor()) return;
  if (p.type == Type::Float) {
    if (v.is<IntList>()) v = std::vector<double>(v.get<IntList>().begin(), v.get<IntList>().end());
    if (v.is<Scalar>()) v = std::vector<double>{v.get<Scalar>().to<double>()};
    return;
  }
  if (v.is<Scalar>()) v = IntList{v.get<Scalar>().to<int64_t>()};
  IntList& list = v.get<IntList>();
  if (p.fixed && list.empty()) return void(v = Value());
  if (p.fixed && list.size() == 1) list.assign(static_cast<size_t>(p.fixed), list[0]);
}

}  // namespace facula
