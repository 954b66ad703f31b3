// Files from the network, by libcurl, which is opened when it is first needed.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace facula {

/// Bytes that are there and bytes that the whole file has, -1 where the server does not say.
using Progress = std::function<void(int64_t done, int64_t total)>;

/// Adds what is at `url` (http, https, ftp or file) to the end of the file at `path`: what the file has already is not
/// loaded again. `progress` is called some ten times a second, and at the end. A server that sends nothing for half a
/// minute is an error. Errors: no libcurl, no network, the server's answer, the disk's, an interrupt; what came until then
/// stays.
void download(const std::string& url, const std::string& path, const Progress& progress);

}  // namespace facula
