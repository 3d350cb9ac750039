// How the shims tell Rust of an error: as a text that the caller frees, or null. The Rust side is failure.rs.

#pragma once

#include <c10/util/Exception.h>

#include <cstring>
#include <exception>

// The error's text, where `work` throws. Nothing is thrown on, because Rust cannot take it.
template <typename Work>
char* guarded(Work work) {
    try {
        work();
        return nullptr;
    } catch (const c10::Error& error) {
        return strdup(error.what_without_backtrace());
    } catch (const std::exception& error) {
        return strdup(error.what());
    } catch (...) {
        return strdup("an exception that is no std::exception");
    }
}
