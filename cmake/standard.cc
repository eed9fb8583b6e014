// Nothing but a place for the precompiled standard headers; see CMakeLists.txt.
