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

TEST_CASE("escapes stand for what they say") {
  CHECK(parse_json(R"("\u0041\u00e9\u20ac\ud83d\ude00\n\/")")->text == "Aé€😀\n/");
  for (const char* text :
       {R"("\ud83d")", R"("\ud83dx")", R"("\ud83d\u0041")", R"("\ude00")", R"("\u12")", R"("\x")", "\"\\"})
    CHECK_MESSAGE(!parse_json(text), text);
}

TEST_CASE("only the shortest forms of characters there are, are UTF-8") {
  for (const char* good : {"", "plain", "é€😀", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"})
    CHECK_MESSAGE(is_utf8(good), good);
  for (const char* bad : {"\x80", "\xc3", "\xe2\x82", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
                          "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "a\xc3(", "\xe2\x28\xa1"})
    CHECK(!is_utf8(bad));
}
