#include "core/json.h"

#include <doctest/doctest.h>

#include <string>

using namespace facula;

TEST_CASE("JSON is read as it is written") {
  const auto json = parse_json(R"( {"a": [1, -2.5e+3, 0, true, null, []], "b": {}, "c": "text"} )");
  REQUIRE(json);
  CHECK(json->kind == Json::Kind::Object);
  const Json* const a = json->field("a");
  REQUIRE(a);
  REQUIRE(a->items.size() == 6);
  CHECK(a->items[0].integer() == 1);
  CHECK(!a->items[1].integer());
  CHECK(a->items[1].text == "-2.5e+3");
  CHECK(a->items[3].kind == Json::Kind::Bool);
  CHECK(a->items[4].kind == Json::Kind::Null);
  CHECK(json->field("c")->text == "text");
  CHECK(json->field("d") == nullptr);
  CHECK(parse_json(R"({"a": 1, "a": 2})")->field("a") == nullptr);
  CHECK(parse_json("9223372036854775807")->integer() == INT64_MAX);
  CHECK(!parse_json("9223372036854775808")->integer());
  CHECK(!parse_json("\"1\"")->integer());
}

TEST_CASE("what is not JSON is refused") {
  for (const char* text :
       {"",       " ",           "[",   "]",   "[1",       "[1,]",       "[,1]", "{",     "{\"a\"}", "{\"a\":}",
        "{a: 1}", "{\"a\": 1,}", "01",  "-",   "1.",       ".5",         "1e",   "1e+",   "+1",      "0x1",
        "nul",    "truth",       "'a'", "\"a", "\"a\nb\"", "\"\\u006\"", "1 2",  "[] []", "NaN"})
    CHECK_MESSAGE(!parse_json(text), text);
  CHECK(!parse_json(std::string(1000000, '[')));
  CHECK(!parse_json("[[[1]]]", 2));
  CHECK(parse_json("[[1]]", 2));
}
